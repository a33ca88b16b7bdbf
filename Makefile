# Everything sets itself up: make live | test | check | bench | fresh | clean. Options for a command go in ARGS.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help live install test check fresh bench accuracy bench-peers figures docs profile clean
BIN := .venv/bin
ARGS ?=
# Recordings with truth, which are kept beside the project.
DATA ?= ../shared/data

help:
	@echo 'make live      watch a simulated session; ARGS="--duration 60 --record FILE" and the like'
	@echo 'make install   put the command subtalar onto the PATH, with pipx or uv'
	@echo 'make test      run the tests; ARGS="-k clock -x" and the like'
	@echo 'make check     lint, formatting, types, layer rules'
	@echo 'make fresh     live and test on a Debian that has nothing (needs root); ARGS="bookworm user live" for a part'
	@echo 'make bench     measure; ARGS=NAME for one measurement'
	@echo 'make accuracy  measure against truth and write docs/accuracy.md; DATA=FOLDER of recordings'
	@echo 'make bench-peers  other software on the same recordings'
	@echo 'make figures   draw the figures of docs/ anew'
	@echo 'make docs      the documents as a site, in build/site'
	@echo 'make profile   where the estimator spends its time'
	@echo 'make clean     delete the virtual environment and all caches'

# Without a working window the session shows itself in the terminal; set-up has said why. The usual end is Ctrl-C,
# which goes to the shell as well: it stays for the last line.
live:
	@scripts/set-up live
	@trap : INT; status=0; \
	$(BIN)/subtalar live --simulate $$([ -e .venv/.window-works ] || echo --headless) $(ARGS) || status=$$?; \
	c=subtalar; hint=; command -v $$c >/dev/null || { c=$(BIN)/subtalar; hint=" ('make install' shortens this to subtalar)"; }; \
	[ $$status != 0 ] || echo "From now on: $$c live --simulate, or with your sensors $$c devices scan$$hint"; exit $$status

install:
	@scripts/install

test:
	@scripts/set-up test
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

check:
	@scripts/set-up test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fresh:
	@scripts/fresh $(ARGS)

bench:
	@scripts/set-up test
	@$(BIN)/subtalar bench $(ARGS)

accuracy:
	@scripts/set-up test
	@$(BIN)/subtalar bench accuracy --data "$(DATA)" --write docs/accuracy.md --write README.md $(ARGS)

bench-peers:
	@scripts/set-up test
	@$(BIN)/subtalar bench peers --data "$(DATA)" --write docs/accuracy.md $(ARGS)

figures:
	@scripts/set-up test
	@for script in docs/figures/*.py; do echo $$script; $(BIN)/python $$script; done

docs:
	@scripts/set-up test
	@$(BIN)/python scripts/write_api_page.py
	@$(BIN)/python -m mkdocs build --quiet
	@echo 'build/site/index.html'

profile:
	@scripts/set-up test
	@$(BIN)/python -m subtalar_bench.profiling $(ARGS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find host firmware_sim calibration tests docs scripts -name __pycache__ -prune -exec rm -rf {} +
