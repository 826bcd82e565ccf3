# make          the environment in .venv, with charrnn and the tools for its tests
# Nothing has to be activated: every target uses .venv by itself.

PYTHON ?= python3
PEER   ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

PAIRS  := corpora/additions.tsv corpora/dates.tsv corpora/romanised.tsv

.DEFAULT_GOAL := install
.PHONY: install demo test test-browser test-export test-versions dist lint types check coverage docs-check pictures torture \
        corpora pretrained bench-peer results results-ablation clean help

help: ## this list
	@awk -F ':.*## ' '/^[a-z\/.-]+:.*## / {printf "  make %-28s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.ready ## the environment: .venv with charrnn in it (also plain `make`)

$(VENV)/.ready: pyproject.toml charrnn/_version.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "charrnn needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1). Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make an environment in $(VENV); on Debian and Ubuntu: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: install ## train on the tales for about a minute, then write new text
	$(BIN)/charrnn train corpora/tales.txt --minutes 1 --model demo.npz --force
	$(BIN)/charrnn sample --model demo.npz --temp 0.6 --length 600 --seed 1

test: lint types check ## lint, types and tests: what must pass before anything lands

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

torture: install ## crashes, faults, bad input, for about an hour: make torture N=0.1 PARTS="kill bits" SEED=1
	$(BIN)/python -m tests.torture $(PARTS) --n $(or $(N),1) --seed $(or $(SEED),0)

check: install ## the tests, one process per core
	$(BIN)/python -m pytest -n auto

test-browser: install ## exported pages in headless Chromium; skipped where there is none
	$(BIN)/python -m pytest -rs tests/browser

test-export: install ## the tests of .onnx and PyTorch files, with the packages of the group `export`
	$(BIN)/python -m pip install --quiet --group export
	$(BIN)/python -m pytest tests/checkpoint/test_safetensors.py tests/checkpoint/test_onnx.py tests/checkpoint/test_pytorch.py

test-versions: install ## from the wheel: the suite on each Python and with the oldest dependencies, the README: make test-versions VERSIONS="3.12 lowest readme"
	$(BIN)/python -m tests.versions $(VERSIONS) $(if $(TESTS),-- $(TESTS))

dist: install ## the wheel and the sdist in dist/, built twice and checked
	$(BIN)/python -m tests.dist dist

coverage: install ## branch coverage of charrnn/, processes included (about five minutes)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered

docs-check: install $(PAIRS) ## run every command that the documents show, shortened
	$(BIN)/python -m tests.documents

pictures: install ## draw all pictures of the documents again (about five minutes)
	$(BIN)/python docs/make/inside.py build/pictures
	$(BIN)/python docs/make/pictures.py
	$(BIN)/python docs/make/write_pictures.py

corpora: corpora/python-library.txt corpora/python-manual.txt $(PAIRS) ## larger texts from the installed Python, and pairs; no network

$(PAIRS): corpora/pairs.py corpora/words.py corpora/romanise.py

corpora/python-library.txt corpora/python-manual.txt $(PAIRS): corpora/build.py | install
	$(BIN)/python corpora/build.py $@

corpora/tinyshakespeare.txt: | install ## 1.1 MB of Shakespeare, fetched and checked
	$(BIN)/python corpora/build.py $@

pretrained: install ## train the built-in model :names again (about half a minute)
	mkdir -p build charrnn/checkpoint/models
	$(BIN)/charrnn train :names --labelled --unit jamo --cell gru --layers 1 --hidden-size 112 --dropout 0.35 --seq-length 32 \
	  --batch-size 32 --steps 3300 --lr 0.006 --schedule wsd --weight-decay 0.05 --workers 1 --no-baselines --force \
	  --model build/names.npz
	$(BIN)/python -c 'import charrnn, dataclasses; model = charrnn.load("build/names.npz"); \
	  dataclasses.replace(model, run=None).save("charrnn/checkpoint/models/names.npz")'

bench-peer: install ## beside PyTorch, in turn: make bench-peer PEER=python-with-torch (about 40 minutes)
	$(BIN)/python tests/bench/compare.py $(PEER)

results: install ## the tables of docs/learning.md, 45 minutes; a row alone: make results-10min, the hour: make results-hour
	$(BIN)/python docs/make/results.py

results-ablation: install ## measure the ablation table and insert it into docs/learning.md, 20 minutes
	$(BIN)/python docs/make/ablation.py

results-%: install
	$(BIN)/python docs/make/results.py $*

clean: ## remove the environment and what tools left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
