# Everything runs in a virtual environment that make builds for itself; Python 3.11+ and make are enough.
PYTHON ?= python3
STUDY  ?= mappings/leader
OUT    ?= out/$(notdir $(STUDY))
RAW    ?=
VENV   ?= .venv
BIN    := $(VENV)/bin
RAWOPT := $(if $(RAW),--raw $(RAW),)

.DEFAULT_GOAL := help
.PHONY: help sdtm adam define validate report package run test check bench docs clean

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

bench: $(VENV)/installed ## seconds, rows per second and peak memory
	@$(BIN)/python -m bench

docs: $(VENV)/installed ## regenerate the language reference and the editors' JSON Schema
	@$(BIN)/trialmill docs

clean: ## remove outputs and the virtual environment
	rm -rf out $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
