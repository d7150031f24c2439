# The commands, the same here and in CI. Each makes what it needs; nothing is installed outside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard ext/solvent/_core/*.pyx ext/solvent/_core/*.pxd) setup.py pyproject.toml

.PHONY: demo test bench lint debug dist clean

$(VENV)/built: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev,viz]"
	touch $@

demo: $(VENV)/built            ## a real crash, ten thousand traders, and where the money went
	$(BIN)/solvent demo --picture demo.png

test: $(VENV)/built            ## everything: units, twins, auditor, documents, types, style
	$(BIN)/python -m pytest

bench: $(VENV)/built           ## honest figures, no gate
	$(BIN)/python -m pytest benchmarks -q -s --benchmark-disable-gc --benchmark-columns=min,median,max,rounds --benchmark-group-by=name

lint: $(VENV)/built            ## style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check engine tests benchmarks && $(BIN)/mypy

dist: $(VENV)/built            ## sdist and wheel
	$(BIN)/python -m build

debug: $(VENV)/built           ## the core with traps on undefined behaviour, in place until `make clean`
	SOLVENT_DEBUG=1 $(BIN)/python setup.py build_ext --inplace --force

clean:
	rm -rf build dist $(VENV) engine/*.egg-info engine/solvent/_core/*.so
