# make start   install, and open the program
# make test    install what the tests need, and run everything
# make bench   the figures that the README quotes
# make bench-gpu  the reference solutions of kernel exercises, timed on this machine's GPU
# make messages collect the interface's texts, and compile their translations
# make schemas write the JSON Schemas of the YAML files

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.PHONY: start test bench bench-gpu messages schemas system-packages
.DEFAULT_GOAL := start

PYTHON ?= python3
VENV ?= .venv
BIN := $(CURDIR)/$(VENV)/bin
# `make start EXTRAS=` leaves torch and triton out: everything but the exercises that need them works
EXTRAS ?= kernels
comma := ,
# `make test TESTS=tests/cli` runs these alone, after the gates
TESTS ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

start: $(VENV)/.for-start
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/mlsys-path; fi
	PATH="$(BIN):$$PATH"
	mlsys-path
	echo
	echo "== a first check, in a folder of its own: the starter fails, the solution passes"
	MLSYS_PATH_HOME=$$(mktemp -d)
	export MLSYS_PATH_HOME
	trap 'rm -rf "$$MLSYS_PATH_HOME"' EXIT
	mlsys-path start lru-cache
	if mlsys-path check lru-cache; then echo "make start: the starter must not pass" >&2; exit 1; fi
	cp exercises/foundations/lru-cache/solution/lru_cache.py "$$MLSYS_PATH_HOME/workspace/lru-cache/"
	mlsys-path check lru-cache

test: system-packages $(VENV)/.for-test
	@PATH="$(BIN):$$PATH"
	failed=""
	step() {
		echo "== $$*"
		"$$@" || failed="$$failed, $$*"
	}
	step ruff check .
	step ruff format --check .
	step mypy
	step lint-imports
	MLSYS_PATH_HOME=$$(mktemp -d)
	export MLSYS_PATH_HOME
	trap 'rm -rf "$$MLSYS_PATH_HOME"' EXIT
	step mlsys-path author verify
	[ -z "$$failed" ] || echo "FAILED before pytest: $${failed#, }"
	echo "== pytest"
	pytest -q -n 2 $(TESTS) || exit 1
	[ -z "$$failed" ]

bench: $(VENV)/.for-test
	@for script in check_latency roadmap_load search_speed progress_million; do
		echo "== $$script"
		$(BIN)/python benchmarks/$$script.py
	done

bench-gpu: $(VENV)/.for-test
	@$(BIN)/python benchmarks/kernels.py

schemas: $(VENV)/.for-test
	@$(BIN)/python -m mlsys_path.roadmap.schema
	$(BIN)/python -m mlsys_path.mentoring.schema

messages: $(VENV)/.for-test
	@cd src/mlsys_path
	po=locale/zh/LC_MESSAGES/mlsys_path
	pot=$$(mktemp)
	$(BIN)/pybabel -q extract -k _ -k N_ -k ngettext:1,2 --no-location --omit-header -o $$pot .
	$(BIN)/pybabel -q update -l zh -i $$pot -o $$po.po --no-fuzzy-matching --ignore-obsolete -w 100
	$(BIN)/pybabel compile -l zh -i $$po.po -o $$po.mo
	rm $$pot

system-packages:
	@.ci/system-packages

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mlsys-path needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 cannot make a virtual environment: sudo apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.for-start: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing into $(VENV)$(if $(EXTRAS),: the first time torch is fetched$(comma) which is large)"
	$(PIP_INSTALL) -e '.$(if $(EXTRAS),[$(EXTRAS)])'
	touch $@

$(VENV)/.for-test: $(VENV)/bin/python pyproject.toml constraints.txt
	@$(PIP_INSTALL) -e '.[dev,kernels,opencl]'
	touch $@
