# Everything a contributor types. `make` alone lists the targets.
# The environment lives in .venv and is built from constraints.txt: same versions, checked hashes.

PYTHON ?= python3
# Tests run in this many processes.
JOBS ?= 2
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test browser fuzz check format lint types layers docs bench bench-accuracy package clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Build .venv with the tool and everything needed to work on it

$(READY): constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("tracemap needs Python 3.11 or later, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Run the main job on sample_traces/ into tracemap-demo/
	$(BIN)/tracemap demo

test: $(READY) browser ## Run all tests
	$(BIN)/python -m pytest --numprocesses $(JOBS)

fuzz: $(READY) ## Try the property tests on new examples: other ones at every run
	TRACEMAP_HYPOTHESIS=fuzz $(BIN)/python -m pytest --numprocesses $(JOBS) -m hypothesis

browser: ## Install Chromium for the tests of the pages, where this account may; never fails
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null 2>&1 && exit 0; done; \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null 2>&1 && { apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; } >/dev/null 2>&1 && exit 0; \
	echo "No Chromium, and it cannot be installed here: the tests that open reports will be skipped."

check: format lint types layers test docs ## Everything that must be green before a push

format: $(READY) ## Is the code formatted? (`.venv/bin/ruff format` does it)
	$(BIN)/ruff format --check .

lint: $(READY) ## Lint
	$(BIN)/ruff check .

types: $(READY) ## Check types
	$(BIN)/mypy

layers: $(READY) ## Do the stages still not know each other?
	$(BIN)/lint-imports

docs: $(READY) ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(READY) ## Measure speed and accuracy
	$(BIN)/python -m bench

bench-accuracy: $(READY) ## Measure how often the right one is named
	$(BIN)/python -m bench.accuracy

package: $(READY) ## Build the wheel and the source archive into dist/
	$(BIN)/hatchling build

clean: ## Remove everything make made
	rm -rf .venv build dist site tracemap-demo screenshots .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find tracemap tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
