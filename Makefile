# One obvious way to do each thing; `make help` lists them.
PY := .venv/bin/python
STAMP := .venv/.ready

.PHONY: help setup demo test check bench build lock clean
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(STAMP)  ## make .venv from the lock

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)  ## simulate a city, back-test it, say where the report lies
	.venv/bin/forewarn simulate --out out/demo/city --seed 7 --days 60 --grids 24
	.venv/bin/forewarn backtest --mapping out/demo/city/mapping.yaml --input out/demo/city/signals.jsonl --out out/demo/report
	@echo "Report: out/demo/report/report.html"

test: $(STAMP)  ## the whole test suite
	$(PY) -m pytest -n 2 -q

check: $(STAMP)  ## ruff, mypy --strict, import contracts, bandit
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy tests
	.venv/bin/lint-imports
	.venv/bin/bandit -q -r connectors pipeline models alerts config runners console -s B101

bench: $(STAMP)  ## every speed figure beside its goal
	.venv/bin/forewarn bench

build: $(STAMP)  ## the wheel
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra test --extra check --extra bench pyproject.toml build-requirements.in -o requirements.lock

clean:  ## remove what was built
	rm -rf .venv out build dist *.egg-info
