# Everything runs in the checkout's own .venv, built on first use from pyproject.toml and constraints.txt.
# Only relative paths are used, so the checkout may lie anywhere, in a folder with spaces too.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := workers orchestration agents integrations celeryconfig.py $(wildcard examples/plugins/*/marketing_*)
# Two processes of tests, with services of their own each. A file stays in one, for what its tests share; the order
# is that of tests/conftest.py.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Once, before hundreds of processes start, which can't keep it for each other where PYTHONDONTWRITEBYTECODE is set.
COMPILE := $(BIN)/python -m compileall -q $(SOURCES) tests

.DEFAULT_GOAL := help
# Two installs into one environment must not run side by side under `make -j`.
.NOTPARALLEL:
.PHONY: help demo up test test-slow bench lint format clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/.run ## Set up everything and run one campaign to its end on embedded services
	@$(BIN)/campaigns run examples/saas_launch.yaml --embedded

up: .venv/.run ## Start services, workers, beat and Flower on this machine; Ctrl-C stops them all
	@$(BIN)/campaigns up

test: .venv/.dev ## Run the tests (the slow ones excepted)
	@$(COMPILE)
	@$(PYTEST) -m "not slow" tests

# Exit status 5 is pytest's "no tests collected".
test-slow: .venv/.dev ## Run the slow tests: crashes, outages, chaos, and properties on many examples
	@$(COMPILE)
	@$(PYTEST) -m "slow or hypothesis" --hypothesis-profile=thorough tests || { status=$$?; [ $$status -eq 5 ] || exit $$status; }

bench: .venv/.bench ## Compare what orchestration costs with its peers (about 20 minutes; BENCH_QUICK=1: 4)
	@$(BIN)/python -m tests.bench

lint: .venv/.dev ## Check style (ruff), types (mypy strict) and layers (import-linter)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy $(SOURCES)
	@$(BIN)/lint-imports

format: .venv/.dev ## Format the code and fix what ruff can fix
	@$(BIN)/python -m ruff check --fix-only --quiet .
	@$(BIN)/python -m ruff format .

clean: ## Remove .venv, caches and build products (data in MARKETING_HOME stays)
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---------------------------------------------------------------------------------------
# .venv/.run: what a user needs. .venv/.dev: the tools for tests and lint on top. .venv/.bench: the peers that
# `make bench` compares with. A stamp is written only after a complete install, so an interrupted one is taken up
# again. Scripts in a virtual environment hold its absolute path: one that came along with a copied or moved checkout
# is made anew.

define CHECK_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed, %s is %s. Name another one: make PYTHON=python3.12 ..."
             % (sys.executable, sys.version.split()[0]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("%s has no venv module. On Debian and Ubuntu: apt-get install python3-venv" % sys.executable)
endef
export CHECK_PYTHON

define BUILD_VENV
@command -v "$(PYTHON)" >/dev/null || { echo "No $(PYTHON) on PATH. Python 3.11 or newer is needed." >&2; exit 1; }
@"$(PYTHON)" -c "$$CHECK_PYTHON"
@if ! $(BIN)/python -m pip --version >/dev/null 2>&1 || { [ -e .venv/.path ] && [ "$$(cat .venv/.path)" != "$$PWD" ]; }; then \
	"$(PYTHON)" -m venv --clear .venv && pwd > .venv/.path; fi
@rm -rf marketing_agents.egg-info # an old build's list of plug-ins here would hide the installed one
endef

.venv/.run: pyproject.toml constraints.txt
	@echo "Setting up .venv (about a minute, downloads included) ..."
	$(BUILD_VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[embedded,google]'
	@touch $@
	@echo "Setting up .venv: done"

.venv/.dev: pyproject.toml constraints.txt
	@echo "Setting up .venv with the development tools (about a minute, downloads included) ..."
	$(BUILD_VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[embedded,google,documents,dev]'
	@touch .venv/.run $@
	@echo "Setting up .venv: done"

.venv/.bench: pyproject.toml constraints.txt
	@echo "Setting up .venv with the peers of the bench (about a minute, downloads included) ..."
	$(BUILD_VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[embedded,google,bench]'
	@touch .venv/.run $@
	@echo "Setting up .venv: done"
