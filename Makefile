# Everything starts here, on a machine that has nothing but Python 3.11 or 3.12.
#
#   make run     the whole city on this machine, with its demonstration data
#   make run-eotinish  the same, exchanging with a stand-in of the national register
#   make test    the tests (make test ARGS="tests/domain -x")
#   make lint    style, formatting, types, who may import whom, what the graph's contract breaks
#   make judges  independent judges over the contract (needs node and npm)
#   make bench   the measurements (make bench BENCHMARKS=reads ARGS="--appeals 100000" for another)
#   make lock    resolve the dependencies anew (ARGS=--upgrade for newer releases)
#   make clean   remove the environment and the caches; the register in var/ stays

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; \
	then echo $$python; break; fi; done)
# Those of a few minutes. The others make a million appeals first (docs/performance.md).
BENCHMARKS ?= catalogue_search intake incident_likeness
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all:
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-build \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml

# Programs are begun by the hundred in the tests: those that were compiled begin in three quarters of
# the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run run-eotinish test lint judges bench lock clean environment
.DELETE_ON_ERROR:

run: $(VENV)/.runtime
	@$(BIN)/ikomek up --demo $(ARGS)

run-eotinish: $(VENV)/.development
	@$(BIN)/python -m tests.peers.eotinish_city -- $(BIN)/ikomek up --demo $(ARGS)

test: $(VENV)/.development
	@$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/ikomek graphql compare

judges: $(VENV)/.development
	@for tool in node npm; do command -v $$tool > /dev/null || \
		{ echo "The judges need node and npm: $$tool is missing"; exit 1; }; done
	@judges/run

bench: $(VENV)/.development
	@for script in $(BENCHMARKS); do echo "== $$script"; \
		$(BIN)/python -m benchmarks.$$(basename $$script .py) $(ARGS) || exit 1; done

lock: $(VENV)/.development
	test -x $(BIN)/uv || $(PIP) install --quiet uv
	$(COMPILE) $(ARGS) -o requirements.lock
	$(COMPILE) $(ARGS) --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist ikomek.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

environment: $(VENV)/.runtime

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# What the tests add; its lock holds the runtime lock whole.
$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	$(INSTALL) -r requirements-dev.lock
	@touch $@
