# The two commands of the README, and what they are made of. Each sets up .venv by itself; pip's own settings
# (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, ...) apply.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROFILES := $(basename $(notdir $(wildcard pipeline/profiles/*.toml)))

.PHONY: demo test lint types unit definitions install-aws docs calls bench clean
.DELETE_ON_ERROR:

## demo: install, draw photos of bins, run the whole pipeline on this machine
demo: $(VENV)/.local
	$(BIN)/bincount data synth .bincount/demo-photos --photos 900 --seed 7
	$(BIN)/bincount run --profile demo -p DataUri=.bincount/demo-photos

## test: install, then everything that CI checks
test: lint types unit

# zizmor's offline rules: what it looks up at GitHub needs a token.
lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/actionlint
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/cfn-lint infra/template.yaml

types: $(VENV)/.test
	$(BIN)/mypy

## docs: write the generated pages again; a test fails while they are old
docs: $(VENV)/.test
	$(BIN)/python -m pipeline.cli.docs

# A worker a core; a file's tests stay together, as some tell a story or share what is slow to make.
unit: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile

## definitions: compile every profile and check what would be sent, without the packages that train
definitions: $(VENV)/.compile
	@mkdir -p build/definitions
	for profile in $(PROFILES); do \
	  $(BIN)/bincount compile --profile $$profile --out build/definitions/$$profile.json && \
	  $(BIN)/bincount validate build/definitions/$$profile.json || exit 1; \
	done

## install-aws: what runs on AWS need here, and no more
install-aws: $(VENV)/.compile

## calls: record every AWS call that the tests make, for the proof that each role may do what is called and no more
calls: $(VENV)/.test
	$(BIN)/python -m pytest --record-calls

## bench: run every benchmark and write docs/benchmarks.md again; BINCOUNT_PHOTOS=path/to/photos takes real photos
bench: $(VENV)/.test $(VENV)/.bench
	$(BIN)/python -m benchmarks $(NAMES)

## clean: remove the environment and everything local, endpoints and executions included
clean:
	@# Servers outlive the command that started them: they are stopped while there is something to do it with.
	-if [ -x $(BIN)/bincount ] && [ -d .bincount ]; then BINCOUNT_HOME=.bincount $(BIN)/bincount cleanup --yes; fi
	rm -rf $(VENV) .bincount

# A stamp an extra: installing again only when pyproject.toml changes.
$(VENV)/.%: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4) and "bincount needs Python 3.11.4 or newer: make $(MAKECMDGOALS) PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --editable '.[$*]'
	touch $@
