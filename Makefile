# Everything runs in a virtual environment that make builds for itself; Python 3.11+ and make are enough.
PYTHON ?= python3
STUDY  ?= mappings/leader
OUT    ?= out/$(notdir $(STUDY))
RAW    ?=
VENV   ?= .venv
BIN    := $(VENV)/bin
RAWOPT := $(if $(RAW),--raw $(RAW),)

.DEFAULT_GOAL := help
.PHONY: help sdtm adam define validate report package run test check core bench docs clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo "  STUDY=$(STUDY)  OUT=$(OUT)  RAW=folder of the transfer (default: the one study.yaml names)"

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "trialmill needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

sdtm: $(VENV)/installed ## raw exports to validated SDTM XPT files
	@$(BIN)/trialmill sdtm $(STUDY) --out $(OUT) $(RAWOPT)

adam: $(VENV)/installed ## ADaM datasets
	@$(BIN)/trialmill adam $(STUDY) --out $(OUT)

define: $(VENV)/installed ## define.xml
	@$(BIN)/trialmill define $(STUDY) --out $(OUT)

validate: $(VENV)/installed ## check the SDTM files that are in OUT
	@$(BIN)/trialmill validate $(STUDY) --out $(OUT)

report: $(VENV)/installed ## the report of this transfer
	@$(BIN)/trialmill report $(STUDY) --out $(OUT)

package: $(VENV)/installed ## the submission package
	@$(BIN)/trialmill package $(STUDY) --out $(OUT)

run: $(VENV)/installed ## all of it
	@$(BIN)/trialmill run $(STUDY) --out $(OUT) $(RAWOPT)

test: $(VENV)/installed ## the tests
	@$(BIN)/python -m pytest -n auto

check: $(VENV)/installed ## ruff, mypy, and every specification compiled and linked
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/trialmill lint mappings/*

# CDISC's own rules engine needs Python 3.12 and an environment of its own; its rules lie beside the project.
CORE_PYTHON ?= python3.12
CORE_VENV   ?= .venv-core
CORE        ?= ../shared/core

$(CORE_VENV)/installed:
	@$(CORE_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' \
	  || { echo "CDISC CORE needs Python 3.12: make core CORE_PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(CORE_PYTHON) -m venv $(CORE_VENV)
	$(CORE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check cdisc-rules-engine==0.17.1
	@touch $@

core: $(CORE_VENV)/installed ## judge OUT/sdtm by CDISC's own rules engine (a minute or two)
	@test -f $(CORE)/core_lib.py || { echo "there is no $(CORE): the engine's rules and terminology" >&2; exit 2; }
	@test -d $(OUT)/sdtm || { echo "there is no $(OUT)/sdtm: run make sdtm first" >&2; exit 2; }
	@cd $(CORE) && $(CURDIR)/$(CORE_VENV)/bin/python core_lib.py $(abspath $(OUT))/sdtm -s sdtmig -v 3-4 \
	  --ct sdtmct-2022-09-30 --jobs 2 --timeout 60 --out $(abspath $(OUT))/core.json

bench: $(VENV)/installed ## seconds, rows per second and peak memory
	@$(BIN)/python -m bench

docs: $(VENV)/installed ## regenerate the language reference and the editors' JSON Schema
	@$(BIN)/trialmill docs

clean: ## remove outputs and the virtual environment
	rm -rf out $(VENV) $(CORE_VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
