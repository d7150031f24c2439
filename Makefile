# The commands, the same here and in CI. Each makes what it needs; nothing is installed outside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD ?= debug
PARALLEL := -n auto --dist worksteal  # a process for each core; one test after another: pytest alone
EXTRAS := import sys, tomllib; told = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
	print(*(each for name in sys.argv[1:] for each in told[name]))
with = $(BIN)/python -c '$(EXTRAS)' $(1) | xargs $(BIN)/python -m pip install --quiet  # what extras name, and not the project
# What one process makes no other makes again: generated C, and bytecode (of the tests too).
export SOLVENT_C_CACHE := $(CURDIR)/build/cache
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
export PYTHONDONTWRITEBYTECODE :=
SOURCES := $(shell find ext -name "*.p[yx][xd]") setup.py pyproject.toml

.PHONY: clients demo test check bench mutate lint docs debug dist clean deep campaign prove soak

$(VENV)/built: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev,viz]"
	touch $@

demo: $(VENV)/built            ## a real crash, ten thousand traders, and where the money went
	$(BIN)/solvent demo --picture demo.png

test: $(VENV)/built            ## everything: units, twins, auditor, documents, types, style
	$(BIN)/python -m pytest $(PARALLEL)

check: lint                    ## the inner loop: style, types and the quick tests of behaviour, about a minute and a half
	$(BIN)/python -m pytest $(PARALLEL) -m "not long or scaled" --commands 10000 tests/behaviour tests/attacks tests/agreement

bench: $(VENV)/built           ## ratios against a C book, latency, memory, the exchange; peers that are installed; an earlier build
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/journal.py --gate
	$(BIN)/python benchmarks/gateway.py --gate
	$(BIN)/python benchmarks/against.py --base 527026e --lines "a command" "a mark" --limit 1.05

deep: $(VENV)/built            ## every layer of the programme, at most 75 minutes; SEED=1 repeats a run, LAYER=3 runs one
	$(call with,prove cover)
	$(BIN)/python tests/programme/run.py deep $(if $(SEED),--seed $(SEED)) $(if $(LAYER),--layer $(LAYER))

campaign: $(VENV)/built        ## goes on with new seeds and writes the ledger; LAYER=3 runs one layer, MINUTES=60 of each
	$(BIN)/python tests/programme/run.py campaign $(if $(MINUTES),--minutes $(MINUTES)) $(if $(LAYER),--layer $(LAYER))

clients: $(VENV)/built         ## heavy clients trade on the gateway, each in an environment of its own: freqtrade, nautilus, vnpy_okx, npm okx-api
	$(BIN)/python tests/clients/environments.py $(CLIENTS)

prove: $(VENV)/built           ## the arithmetic over all inputs, and the mutant that each property kills
	$(call with,prove)
	$(BIN)/python tests/proofs/prove.py --write

soak: $(VENV)/built            ## an hour of a gateway with 200 clients and faults on: memory, books, money; MINUTES=5 CLIENTS=50 SEED=2
	$(BIN)/python tests/programme/soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(CLIENTS),--clients $(CLIENTS)) $(if $(SEED),--seed $(SEED))

mutate: $(VENV)/built         ## ten wrong lines where money moves: does an assertion halt the core before the auditor? SEED=1
	$(BIN)/python tests/support/mutate.py $(if $(SEED),--seed $(SEED))

lint: $(VENV)/built            ## style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check engine tests benchmarks examples && $(BIN)/mypy

docs: $(VENV)/built            ## the pages in build/docs; a warning is an error, nothing is fetched
	$(BIN)/python -m sphinx -b html -n -W --keep-going -q docs build/docs

dist: $(VENV)/built            ## sdist and wheel
	$(BIN)/python -m build

debug: $(VENV)/built           ## tests on another build of the core, beside the usual one: BUILD=debug or sanitize
	$(BIN)/python tests/programme/builds.py $(BUILD)

clean:
	rm -rf build dist $(VENV) engine/*.egg-info
	find engine -name "*.so" -delete
