# Two commands: `make run` and `make test`. `make help` lists every target.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint bench growth soak screenshots

help: ## a line for every target
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

run: .venv/.run ## serves the dashboard on http://localhost:8501 (PORT=, HOST=)
	$(BIN)/python serve.py

# One worker more than there are cores: a good part of the time they wait for servers.
test: .venv/.dev lint ## lint, types and every test; installs what they need
	bash tests/system_packages.sh
	$(BIN)/pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

lint: .venv/.dev ## ruff and mypy (strict for data/)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy data ui pages web api.py dashboard.py serve.py run_customer_soft_delete_migration.py

bench: .venv/.dev ## speed, as ratios of one run (CUSTOMERS=, ORDERS=, ENGINE=mariadb or postgresql)
	bash tests/system_packages.sh
	$(BIN)/python -m bench

growth: .venv/.dev ## how costs grow from 10,000 to 10,000,000 orders, and its picture (MOST=, ENGINE=)
	bash tests/system_packages.sh
	$(BIN)/python -m bench.growth

soak: .venv/.dev ## ten minutes of 50 people at once (MINUTES=, PEOPLE=, CUSTOMERS=, ORDERS=, ENGINE=)
	bash tests/system_packages.sh
	$(BIN)/python -m bench.soak

screenshots: .venv/.dev ## docs/*.png, taken from the running demo
	bash tests/system_packages.sh
	$(BIN)/python docs/screenshots.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Evenbooks needs Python 3.11 or newer; $(PYTHON) is older. Name one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/bin/python requirements.txt requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.run
