"""Money recomputed from events alone, without a formula of the kernels."""
