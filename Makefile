# One obvious way to do each thing; `make help` lists them.
PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.ready
HISTORY := out/history
CODE := connectors pipeline models alerts config runners console
WEB := console/web
PAGE := $(WEB)/dist/index.html
PAGE_FROM := $(WEB)/package-lock.json $(WEB)/index.html $(WEB)/vite.config.ts $(shell find $(WEB)/src $(WEB)/public $(WEB)/scripts -type f)
# npm of the machine where its Node is new enough, else the one that comes as a Python package.
NPM := $(shell node -e 'const [a,b]=process.versions.node.split(".");process.exit(a>20||(a==20&&b>=19)?0:1)' 2>/dev/null && command -v npm)

.PHONY: help setup page demo demo-cluster history test check bench bench-cluster kill-cluster-long build screenshots lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*##' '{printf "make %-18s%s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 setup"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

page: $(PAGE)  ## build the console's page

$(PAGE): $(PAGE_FROM) | $(STAMP)
ifneq ($(NPM),)
	cd $(WEB) && npm ci --no-fund --no-audit --loglevel=error && npm run --silent build
else
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r web-requirements.lock
	cd $(WEB) && export PATH="$(CURDIR)/.venv/bin:$$PATH" && npm ci --no-fund --no-audit --loglevel=error && npm run --silent build
endif
	@touch $@

demo: $(STAMP) $(PAGE)  ## a simulated city that lives, with its console; Ctrl-C ends it
	.venv/bin/forewarn demo

demo-cluster: $(STAMP) $(PAGE)  ## the same on Kafka and PostgreSQL: two workers, a server, a city; Ctrl-C ends all of it
	$(PY) -m runners.demo.cluster

history: $(STAMP)  ## simulate 60 days, back-test them, say where the report lies
	.venv/bin/forewarn simulate --out $(HISTORY)/city --seed 7 --days 60 --grids 24
	.venv/bin/forewarn backtest --mapping $(HISTORY)/city/mapping.yaml --config $(HISTORY)/city/config.yaml --input $(HISTORY)/city/signals.jsonl --out $(HISTORY)/report
	@echo "Look at it:  $(CURDIR)/$(HISTORY)/report/report.html"
	@echo "Ask it:      .venv/bin/forewarn warnings --data $(HISTORY)/report"

test: $(STAMP) $(PAGE)  ## the whole test suite
	$(PY) -m pytest -n 2 -q --ignore=tests/browser --ignore=tests/integration
	$(PY) -m pytest -n 2 --dist loadfile -q tests/integration
	$(PY) -m pytest -q tests/browser

check: $(STAMP) $(PAGE)  ## ruff, mypy --strict, import contracts, bandit; the page's types and catalogues
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy tests
	.venv/bin/lint-imports --no-cache
	.venv/bin/bandit --quiet -c pyproject.toml -r $(CODE)
	cd $(WEB) && export PATH="$$PATH:$(CURDIR)/.venv/bin" && npm run --silent check && npm run --silent test

bench: $(STAMP)  ## every speed figure beside its goal
	.venv/bin/forewarn bench

bench-cluster: $(STAMP)  ## the figures of a cluster beside their goals, on a real Kafka and a real PostgreSQL
	$(PY) -m benchmarks.cluster

kill-cluster-long: $(STAMP)  ## workers and servers broken 200 times, outages of 30 s
	FOREWARN_REQUIRE_REAL=1 FOREWARN_KILLS=200 FOREWARN_OUTAGE_S=30 FOREWARN_MACHINES=250 $(PY) -m pytest -q tests/integration/test_faults.py tests/integration/test_owned_machine.py

screenshots: $(STAMP) $(PAGE)  ## pictures of every page, by a real Chromium, in docs/images/
	$(PY) -m tests.browser.screenshots docs/images

build: $(STAMP) $(PAGE)  ## the wheel with the page in it, in dist/
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra cluster --extra test --extra check --extra bench pyproject.toml build-requirements.in -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  web-requirements.in -o web-requirements.lock

clean:  ## remove what was made
	rm -rf .venv out build dist *.egg-info $(WEB)/dist $(WEB)/node_modules $(WEB)/out
