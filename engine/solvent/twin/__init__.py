"""The readable kernel: the state and the order of events of the compiled one, in the same folders under the same names."""
