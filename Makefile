# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header

$(READY): requirements.lock pyproject.toml build_kernel.py harness/payproof/scan/kernel.c harness/payproof/scan/kernel_run.h
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Payproof needs Python 3.11 or later: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help
help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(READY)  ## Run the harness on the reference billing service over HTTPS
	@mkdir -p build
	@$(BIN)/payproof demo --report build/demo.html; code=$$?; \
		echo "The same as a page for your browser: build/demo.html"; exit $$code

# Twice the processors: much of the tests' time is waiting for what must not come.
WORKERS ?= $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )))

# With MEASURE=1 what the tests run is counted, subprocesses included, which takes longer.
PYTEST = $(BIN)/$(if $(MEASURE),coverage run -m )pytest -n $(WORKERS) --dist worksteal --durations 20 --durations-min 1 $(PYTEST_OPTIONS)

.PHONY: test
test: $(READY)  ## Run the tests, some minutes
	@rm -f .coverage .coverage.*
	$(PYTEST) -m "not (thorough or neighbours)"

.PHONY: thorough
thorough: $(READY)  ## Run the tests that take longer: other targets, PostgreSQL throughout, containers, all examples
	PAYPROOF_EFFORT=full $(PYTEST) -m "thorough or property"

# Each runs for minutes, on a port and in a process of its own: as many at a time as there are processors.
.PHONY: neighbours
neighbours: $(READY)  ## Run the scenarios on integrations that others wrote, from PyPI, npm and Go
	$(BIN)/pytest -n $(shell getconf _NPROCESSORS_ONLN) --dist worksteal $(PYTEST_OPTIONS) -m neighbours tests/neighbours

.PHONY: coverage
coverage: $(READY)  ## Report what `make test MEASURE=1` covered; fails when it has fallen
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: lint
lint: $(READY)  ## Check formatting, lint rules, types and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: matrix
matrix: $(READY)  ## Run every scenario on every defect and print the matrix
	$(BIN)/python -m tests.defects --matrix

SECONDS ?= 60
.PHONY: fuzz-kernel
fuzz-kernel: $(READY)  ## Fuzz the compiled loops of the search under sanitizers, for SECONDS
	$(BIN)/python -m tests.scan.fuzz_kernel --seconds $(SECONDS)

# Words beside it name sections: `make bench deliveries`.
SECTIONS := $(if $(filter bench,$(MAKECMDGOALS)),$(filter counts runs deliveries service scan rows fuzz upstream pages races crashes burst,$(MAKECMDGOALS)))
.PHONY: bench $(SECTIONS)
bench: $(READY)  ## Measure against the peers (needs nginx, wrk and rg); with names of sections, only these
	$(BIN)/python -m tests.benchmarks $(SECTIONS)

$(SECTIONS): bench
	@:

.PHONY: schemas
schemas: $(READY)  ## Write the JSON Schemas of the file formats for editors and programs
	@mkdir -p harness/payproof/schemas
	$(BIN)/payproof schema target > harness/payproof/schemas/target.json
	$(BIN)/payproof schema scenario > harness/payproof/schemas/scenario.json
	$(BIN)/payproof schema problems > harness/payproof/schemas/problems.json

.PHONY: command-line
command-line: $(READY)  ## Write the reference of all commands and options, docs/command-line.md
	$(BIN)/python -m tests.command_line

.PHONY: reports
reports: $(READY)  ## Write the examples of reports in docs/reports.md
	$(BIN)/python -m tests.reports.document

.PHONY: lock
lock: $(READY)  ## Resolve the dependencies anew
	$(COMPILE) --upgrade --all-extras --group dev pyproject.toml --output-file requirements.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["reference"], sep="\n")' \
		| $(COMPILE) --constraint requirements.lock - --output-file reference_impl/deploy/requirements.lock
