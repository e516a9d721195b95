# Everything a newcomer, a developer or CI runs. `make` alone teaches.
# It needs Python 3.11 or newer, git and make; all else is installed, locked and hashed, into .venv.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest
# One more than most machines have cores: a third of the time a test waits for a process or a clock.
WORKERS ?= 3

# How much of each proof to run: `small` takes minutes, `full` what the documentation states.
DOSE ?= small

# What `make test-changed` compares with.
BASE ?= HEAD

# Without .pyc files each of the hundreds of processes that tests start compiles everything again, about two seconds each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install up test test-changed coverage lint format proof bench benchmarks-page reference lock upgrade clean python

help: ## What can be made
	@echo "make up is all it takes to see Fairground. The rest is for working on it:"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

up: python ## Start the marketplace at http://127.0.0.1:8000, demo included; Ctrl-C stops it
	@$(PYTHON) tools/bootstrap.py run
	@exec $(BIN)/fairground up

install: python ## Make .venv with everything that developers need; quick when it is there
	@$(PYTHON) tools/bootstrap.py dev

test: install ## Every test but the proofs, on SQLite and PostgreSQL (about 8 minutes on two cores)
	@$(PYTEST) -m "not proof" -n $(WORKERS) --dist worksteal --durations=15 --durations-min=2

test-changed: install ## The tests and proofs (small dose) that a change can affect; BASE=main for a whole branch
	@tests="$$($(BIN)/python -m tools.affected $(BASE))" && \
		if [ -n "$$tests" ]; then $(PYTEST) -n $(WORKERS) --dist worksteal $$tests; else echo "No test depends on what has changed."; fi

coverage: install ## Tests and proofs, counting the lines that tests reach: 90 % at least, and a fifth slower
	@$(PYTEST) -n $(WORKERS) --dist worksteal --cov --cov-report=term

lint: install ## Style, types, the dependency rule, lengths and words
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src tools tests benchmarks
	@$(BIN)/lint-imports
	@$(PYTEST) -q tests/architecture

format: install ## Fix what the linter can fix by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

proof: install ## Every claim at a small dose, in minutes; DOSE=full for the stated one, in an hour or more
	@FAIRGROUND_PROOF_DOSE=$(DOSE) $(PYTEST) -m proof $(if $(filter full,$(DOSE)),--timeout=3600,-n $(WORKERS) --dist worksteal)

bench: install ## Measure against peers and limits, and write a file; DOSE=full for 100,000 providers, on a quiet machine
	@FAIRGROUND_PROOF_DOSE=$${FAIRGROUND_PROOF_DOSE:-$(DOSE)} $(PYTEST) -p tests.conftest benchmarks --timeout=3600 \
		--results benchmarks/results

benchmarks-page: install ## Write docs/benchmarks.md from the newest file of `make bench`, or from RESULTS=file
	@$(BIN)/python -m tools.benchmarks_page $(RESULTS)

reference: install ## Write docs/reference from the code: settings, problem codes, topics, packs, metrics
	@$(BIN)/python -m tools.reference

lock: python ## Write the requirements of pyproject.toml into requirements/; keeps the versions that still fit
	@$(PYTHON) -m tools.lock

upgrade: python ## The same with the newest versions that pyproject.toml admits
	@$(PYTHON) -m tools.lock --upgrade

clean: ## Remove what was installed and built, never data (var/)
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Fairground needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3 up"; exit 1; }
