# Every target works in a clean clone; .venv is made on the way.
PYTHON := .venv/bin/python
# -I: neither this folder nor the caller's variables reach the interpreter,
# so that what runs is the installed package.
ISOLATED := $(PYTHON) -I

unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
unexport PYTHONOPTIMIZE PYTHONWARNINGS PYTHONUSERBASE VIRTUAL_ENV

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install demo test lint types tests doctor lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F '|' '{printf "%-16s%s\n", $$1, $$2}'

install: ## .venv with the locked packages and this project
	@sh scripts/bootstrap.sh

demo: install ## sample logs to recommendations over gRPC, minutes
	@sh scripts/demo.sh

test: lint types tests ## everything that CI checks

lint: install
	$(ISOLATED) -m ruff check .

types: install
	$(ISOLATED) -m mypy

tests: install
	@sh scripts/browser.sh
	$(ISOLATED) -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

doctor: install ## what this machine lacks, and what to do about it
	@$(ISOLATED) -m trainer.doctor

lock: ## requirements.lock anew, from setup.py and requirements.in
	@sh scripts/bootstrap.sh lock

clean: ## away with .venv, .tools, caches and runs
	rm -rf .venv .tools build dist runs *.egg-info .pytest_cache \
	    .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
