"""Many runs: on all cores, or on other machines."""
