# make demo, make test, make check, make bench: each does its own set-up and needs nothing but python3 (>= 3.11) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDK := .venv-sdk
READY := $(VENV)/.ready
SDK_READY := $(SDK)/.ready
INSTALLED := .venv-systemd
INSTALLED_READY := $(INSTALLED)/.ready
PIP := -m pip --disable-pip-version-check install --quiet

.PHONY: help demo test troubles model systemd fast kills cuts check fuzz audit bench bench-quick wheel clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

demo: $(READY) ## the whole way from inbox to outbox, without an account
	@$(BIN)/dropscribe demo

test: fast troubles model $(SDK_READY) ## all tests: fast ones, troubles, then those that start and kill real processes
	$(BIN)/python -m pytest -q -n 2 -m "kill or journey or sdk"

systemd: $(READY) $(INSTALLED_READY) ## the units under a really booted systemd; needs root
	$(BIN)/python -m pytest -q -m systemd tests/systemd

fast: $(READY) ## the fast tests alone
	$(BIN)/python -m pytest -q -n 2 -m "not kill and not journey and not trouble and not model and not systemd and not sdk"

troubles: $(READY) ## faults of cloud, account, network and disk, on a clock that jumps; see docs/troubles.md
	$(BIN)/python -m pytest -q -n 4 -m trouble

model: $(READY) ## whatever happens, drawn at random: the promises hold; EXAMPLES=2000 lives through more plans, SEED=... through others
	EXAMPLES=$(EXAMPLES) SEED=$(SEED) $(BIN)/python -m pytest -q -n 2 -m model tests/model

kills: $(READY) ## ROUNDS=1000 deaths by kill -9 at random, amid faults: about ten minutes
	DROPSCRIBE_KILLS=$(or $(ROUNDS),1000) $(BIN)/python -m pytest -q -n 2 -rP tests/kill/test_random.py

cuts: $(READY) ## power cuts with more of what a disk may leave than `make test` tries; needs strace
	DROPSCRIBE_POWER_CUTS=1 $(BIN)/python -m pytest -q -n 2 tests/power

check: $(READY) ## ruff, mypy strict, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY) ## every parser with EXAMPLES inputs nobody has seen (2000), a quarter of an hour; see docs/security.md
	DROPSCRIBE_FUZZ=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest -q -n 2 tests/fuzz

AUDIT := .venv-audit
audit: $(READY) ## whether a known hole stands in what is installed; needs the network (pip-audit)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python $(PIP) pip-audit; }
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

bench: $(READY) ## measurements, half an hour; see bench/RESULTS.md
	$(BIN)/python -m bench

bench-quick: $(READY) ## whether the measurements still run, about a minute; says nothing about speed
	$(BIN)/python -m bench --quick

wheel: $(READY) ## the wheel and the source archive, in dist/
	$(BIN)/python -m hatchling build

# What docs/systemd.md installs, with the system's own Python: a service's user cannot enter a home where another lies.
$(INSTALLED_READY): pyproject.toml constraints.txt $(shell find daemon -name '*.py')
	@/usr/bin/python3 -m venv --clear $(INSTALLED)
	$(INSTALLED)/bin/python $(PIP) --constraint constraints.txt .
	@touch $@

clean: ## what the above has made
	rm -rf $(VENV) $(SDK) $(INSTALLED) $(AUDIT) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# venv needs ensurepip, which Debian keeps in a package of its own (python3-venv): say so instead of failing obscurely.
$(READY): pyproject.toml constraints.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "dropscribe needs Python 3.11 or newer; try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[sandbox]' --requirement requirements-dev.txt
	@touch $@

# The official SDK pins what it likes; it lives apart and proves that the stand-in speaks the real protocol.
$(SDK_READY): tests/sandbox/sdk-requirements.txt
	@$(PYTHON) -m venv $(SDK)
	$(SDK)/bin/python $(PIP) --requirement tests/sandbox/sdk-requirements.txt
	@touch $@
