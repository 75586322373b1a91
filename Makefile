# Frontdesk's commands. `make run` and `make test` set up what they need on a machine with Python 3.11 to 3.13.
PYTHON ?= $(shell for v in 3.11 3.12 3.13; do command -v python$$v; done 2>/dev/null | head -1)
PYTHON := $(or $(PYTHON),python3)
PORT ?= 8000
ARTICLES ?= knowledge/articles
REPORTS ?= reports/evals
WORKERS ?= 2
PROVIDERS ?= extractive
AGAINST ?= evals/baselines/extractive.json
TRANSCRIPTS ?= evals/transcripts/larkfield-dev.jsonl evals/transcripts/larkfield-test.jsonl
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help intents setup run ingest test lint types contracts fix evals judge gate baseline bench lock clean

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/product ## Make .venv with everything the product needs

.venv/product: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Frontdesk needs Python 3.11 to 3.13; $(PYTHON) is another. Say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv (once, a few minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

.venv/dev: .venv/product requirements-dev.lock
	@echo "Adding what the tests and checks need ..."
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

run: .venv/product ## Start the chat at http://localhost:8000 (PORT=, DATA_DIR=)
	@$(BIN)/python -m bot.webchat run app.py --headless --port $(PORT)

ingest: .venv/product ## Read the help articles into the index (ARTICLES=, DATA_DIR=)
	@$(BIN)/python -m knowledge ingest $(ARTICLES)

test: .venv/dev ## Run every test (WORKERS=)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile || { [ $$? -eq 1 ] && echo "What failed, once more and alone: a test that passes now is flaky, and a defect." \
	  && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none -v; }

lint: .venv/dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/dev ## Check types
	@$(BIN)/mypy

contracts: .venv/dev ## Check which package may import which
	@$(BIN)/lint-imports

fix: .venv/dev ## Repair style and formatting where a machine can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

evals: .venv/dev ## Play labelled conversations, score them, draw a report (PROVIDERS=, AGAINST=, TRANSCRIPTS=)
	@run=$(REPORTS)/$$(date +%Y%m%d-%H%M%S) && export LLM_PROVIDERS=$(PROVIDERS) && \
	$(BIN)/python -m evals play --out $$run --transcripts $(TRANSCRIPTS) && \
	$(BIN)/python -m evals report $$run --history $(REPORTS) $(if $(AGAINST),--against $(AGAINST))

judge: .venv/judge ## Add ragas, so that a language model with a key judges answers, too

.venv/judge: .venv/dev requirements-judge.lock
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-judge.lock
	@touch $@

gate: .venv/dev ## Fail when the bot is surely worse than the baseline (AGAINST=)
	@$(BIN)/python -m evals gate --baseline $(AGAINST) --allow-known

baseline: .venv/dev ## Make today's bot the one that the gate compares with (AGAINST=, TRANSCRIPTS=)
	@$(BIN)/python -m evals gate --baseline $(AGAINST) --transcripts $(TRANSCRIPTS) --set LLM_PROVIDERS=extractive --allow-known --update

intents: .venv/product ## Learn knowledge/intents.yaml again, after a change
	@$(BIN)/python -m bot intents

bench: .venv/dev ## Measure speed and memory, as ratios in one run
	@$(BIN)/python -m benchmarks

lock: ## Resolve the dependencies anew into the two lock files (needs uv)
	@uv pip compile $(LOCK) pyproject.toml -o requirements.lock
	@uv pip compile $(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@awk '/^[a-z0-9].*==/ && !/^(jiter|rich)==/ {sub(/ \\$$/, ""); print}' requirements-dev.lock > .judge.txt
	@uv pip compile $(LOCK) --group evals-llm -c .judge.txt -o requirements-judge.lock && rm .judge.txt  # wants older jiter, rich
LOCK = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

clean: ## Remove .venv (never the data)
	@rm -rf .venv
