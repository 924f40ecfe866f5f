# One line per recipe. `make up` needs Python >= 3.11 and the network for packages, nothing else.
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help up test test-fast test-long fuzz check openapi fix bench lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

up: .venv/server.stamp ## Serve: database, example models, web, worker and sandbox, until Ctrl-C
	@exec $(BIN)/foretell up

test: .venv/dev.stamp ## Set up what the tests need and run all of them
	@tools/test-setup
	@tools/test

test-fast: .venv/dev.stamp ## The tests that start no server and no browser
	$(BIN)/pytest -m "not acceptance and not browser and not long"

test-long: .venv/dev.stamp ## The tests that hold a promise for a minute each
	$(BIN)/pytest -m long -o faulthandler_timeout=3600

fuzz: .venv/dev.stamp ## Schemathesis over the whole API as each role, 20,000 cases and more (FUZZ_SEED=, FUZZ_EXAMPLES=)
	@tools/test-clients
	$(BIN)/pytest -m long -o faulthandler_timeout=3600 tests/openapi -s

check: export FORETELL_HOME := $(CURDIR)/.venv/check-home
check: .venv/dev.stamp ## Format, lint, types, import layers, migrations, the OpenAPI snapshot
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/foretell manage makemigrations --check --dry-run
	$(BIN)/python tools/openapi --check

openapi: export FORETELL_HOME := $(CURDIR)/.venv/check-home
openapi: .venv/dev.stamp ## Write docs/openapi.yaml anew, after a change to the REST API
	$(BIN)/python tools/openapi

fix: .venv/dev.stamp ## Format, and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev.stamp ## Measure what the project promises; writes benchmarks/results.md. BENCH=--peers for other model servers too, BENCH=--quick for a smoke
	$(BIN)/python benchmarks/all.py $(BENCH)

lock: ## Write requirements.lock and requirements-dev.lock anew (needs uv)
	tools/lock

clean: ## Remove the environment and all caches, never FORETELL_HOME
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Foretell needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv

.venv/server.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing the locked packages into .venv (once; some 300 MB) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/server.stamp
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
