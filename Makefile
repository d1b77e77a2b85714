# One obvious way to do each thing; `make help` lists them.
PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.ready
DEMO := out/demo
CODE := connectors pipeline models alerts config runners console

.PHONY: help setup demo test check bench build lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*##' '{printf "make %-7s%s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 setup"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)  ## simulate a city, back-test it, say where the report lies
	.venv/bin/forewarn simulate --out $(DEMO)/city --seed 7 --days 60 --grids 24
	.venv/bin/forewarn backtest --mapping $(DEMO)/city/mapping.yaml --config $(DEMO)/city/config.yaml --input $(DEMO)/city/signals.jsonl --out $(DEMO)/report
	@echo "Look at it:  $(CURDIR)/$(DEMO)/report/report.html"
	@echo "Ask it:      .venv/bin/forewarn warnings --data $(DEMO)/report"

test: $(STAMP)  ## the whole test suite
	$(PY) -m pytest -n 2 -q

check: $(STAMP)  ## ruff, mypy --strict, import contracts, bandit
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy tests
	.venv/bin/lint-imports --no-cache
	.venv/bin/bandit --quiet -c pyproject.toml -r $(CODE)

bench: $(STAMP)  ## every speed figure beside its goal
	.venv/bin/forewarn bench

build: $(STAMP)  ## the wheel, in dist/
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra test --extra check --extra bench pyproject.toml build-requirements.in -o requirements.lock

clean:  ## remove what was made
	rm -rf .venv out build dist *.egg-info
