# Everything here sets itself up: a virtual environment with the versions of uv.lock, CDK and Node included.
# Needed beforehand: Python 3.11 or later with venv (PYTHON=python3.12 picks one), and make.

PYTHON ?= python3
UV_VERSION := 0.13.8
ARGS ?=

BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never .uv/bin/uv
SYNC := $(UV) sync --frozen --quiet --compile-bytecode --python "$(PYTHON)" --extra local
PYTEST := $(BIN)/pytest
# Tests in as many processes as JOBS says: two more than processors, as the two with end-to-end tests often wait.
# tests/parallel.py says what stays together.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(2 + (os.cpu_count() or 1))')
PARALLEL := --numprocesses $(JOBS) --dist loadfile
# A cloned repository must not behave differently with the AWS settings of the person who cloned it.
unexport AWS_PROFILE AWS_ENDPOINT_URL AWS_CA_BUNDLE AWS_DATA_PATH AWS_CONFIG_FILE

.PHONY: help
help:
	@echo "make demo    watch one pump from its history to an anomaly (ARGS='--keep' leaves it running)"
	@echo "make test    everything that is checked: lint, unit to end-to-end tests (JOBS=2: in two processes)"
	@echo "make coverage  the same tests, and the lines that none of them runs"
	@echo "make lint    style, format, types, rules between the rooms"
	@echo "make compat  tests of what is deployed, with its Python and the newest numpy (ARGS=tests/engine for some)"
	@echo "make versions  canonical apps with the lowest and the newest CDK and Python"
	@echo "make unit    unit and synth tests only"
	@echo "make e2e     tests on the embedded AWS only"
	@echo "make search  property tests on new examples (ROUNDS=10 for more of them)"
	@echo "make bench   measurements of benchmarks/ (RUN='speed --versus')"
	@echo "make docs    the API reference, build/api/constructs_l4e.html"
	@echo "make clean   remove all that make has made"

.PHONY: demo
demo: .venv/.run
	@$(BIN)/l4e demo $(ARGS)

# What lint finds fails `make test` at its end; the tests go on meanwhile.
.PHONY: test
test: .venv/.dev
	@$(MAKE) --no-print-directory --jobs 2 --keep-going lint tests

.PHONY: tests
tests: .venv/.dev
	@$(PYTEST) $(PARALLEL)

.PHONY: coverage
coverage: .venv/.dev
	$(PYTEST) $(PARALLEL) --cov --cov-report=term

.PHONY: lint
lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy -p service -p engine -p custom_resources
	$(PYTEST) -q tests/test_rooms.py

.PHONY: compat
compat: .uv/bin/uv
	@JOBS=$(JOBS) .ci/compat $(ARGS)

.PHONY: versions
versions: .uv/bin/uv
	@.ci/versions

.PHONY: unit
unit: .venv/.dev
	$(PYTEST) $(PARALLEL) tests/unit tests/synth

.PHONY: e2e
e2e: .venv/.dev
	$(PYTEST) tests/e2e

# Every round of the tests draws other examples; a failure prints what repeats it.
ROUNDS ?= 3
.PHONY: search
search: .venv/.dev
	for round in $$(seq $(ROUNDS)); do $(PYTEST) -q -m hypothesis --hypothesis-profile=search || exit 1; done

# RUN is a module of benchmarks/ with its arguments.
RUN ?= detection --help
.PHONY: bench
bench: .venv/.dev
	@$(SYNC) --group bench
	@PYTHONPATH=lambdas $(BIN)/python -m benchmarks.$(RUN)

.PHONY: docs
docs: .venv/.dev
	$(BIN)/python .ci/reference.py build/api

.PHONY: clean
clean:
	@if [ -x $(BIN)/l4e ]; then $(BIN)/l4e down; fi
	rm -rf .venv .uv .compat .l4e l4e-demo cdk.out dist build htmlcov .coverage
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# aws-cdk-lib and its dependency aws-cdk.cloud-assembly-schema both have this file; that of aws-cdk-lib, which
# knows its own types, must stay.
SCHEMA = .venv/lib/python3*/site-packages/aws_cdk/cloud_assembly_schema/__init__.py
OF_LIB = grep -q 'jsii_type="aws-cdk-lib' $(SCHEMA)

# What the demo needs; what a developer has besides stays.
.venv/.run: .uv/bin/uv uv.lock pyproject.toml
	@echo "setting up .venv"
	@$(SYNC) --no-dev --inexact
	@$(OF_LIB) || $(SYNC) --no-dev --inexact --reinstall-package aws-cdk-lib
	@touch $@

.venv/.dev: .uv/bin/uv uv.lock pyproject.toml
	@echo "setting up .venv with the tools of development"
	@$(SYNC)
	@$(OF_LIB) || $(SYNC) --reinstall-package aws-cdk-lib
	@touch $@ .venv/.run

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
