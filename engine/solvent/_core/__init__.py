"""The compiled kernel. Sources: ext/solvent/_core. Nothing here imports the Python part."""
