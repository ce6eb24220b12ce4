# make book      builds the HTML book in _build/html (EDITION=instructor: with the solutions, in _build/html-instructor)
# make test      runs everything that continuous integration runs
# Both first create an environment in .venv. The other commands are described in CONTRIBUTING.md.
VENV    ?= .venv
EDITION ?= student
RUN     ?=
URL     ?=
VERSION  ?=
RELEASE  ?=
RELEASES ?=
ARGS    ?=
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.setup-done
NBVAL   := --nbval-lax --nbval-current-env --nbval-cell-timeout=300
# Two tests at once with one thread each take half the time of one with two threads. Those of a file share what it prepares.
PAIRED  := --numprocesses=2 --dist=loadfile

export TQDM_DISABLE = 1
export JUPYTER_PLATFORM_DIRS = 1

.PHONY: book test setup web lint unit notebooks browser colab student site quiz autograder slides epub release-files bench fuzz matrix mutants portability web-limits gpu-chapters large shots pdf lab readme diagrams model-card verify-results set-repo set-version release-model clean
.NOTPARALLEL:

book: setup
	$(BIN)/python tools/build_book.py --edition $(EDITION)

test: lint unit notebooks
	$(BIN)/python tools/build_book.py --edition student
	$(MAKE) browser

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	sh tools/setup.sh $(VENV)
	@touch $@

# The packages of an extra, such as publish: installed when a command first needs them, pinned like the rest.
$(VENV)/.extra-%: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]'
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python tools/lint_prose.py
	$(BIN)/python tools/strip_notebooks.py --check book/*.ipynb

unit: export OMP_NUM_THREADS = 1
unit: setup web
	MPLBACKEND=agg $(BIN)/python -m pytest tests --ignore=tests/browser $(PAIRED) --durations=10

notebooks: export OMP_NUM_THREADS = 1
notebooks: setup
	$(BIN)/python -m pytest $(NBVAL) $(PAIRED) --durations=15 book

# This reads _build/html, so build the book first.
browser: setup
	$(BIN)/python -m pytest tests/browser --numprocesses=2 --durations=10

colab: setup
	$(BIN)/python tools/colab.py --edition $(EDITION)

student: setup
	$(BIN)/python tools/student_branch.py

# What is published is the student edition, whatever EDITION says.
site release-files: override EDITION := student

# With earlier releases beside it: make site RELEASES=folder
site: book
	$(BIN)/python tools/site_folder.py $(if $(RELEASES),--editions $(RELEASES))

# The files of a release: make release-files RELEASE=v1.0.0
release-files: export BOOK_RELEASE = $(RELEASE)
release-files: pdf epub student
	$(BIN)/python tools/release_files.py

epub: $(VENV)/.extra-publish
	$(BIN)/python tools/epub.py --edition $(EDITION)

slides: $(VENV)/.extra-publish
	$(BIN)/python tools/slides.py $(ARGS)

quiz: setup
	$(BIN)/python tools/quiz.py

autograder: $(VENV)/.extra-autograder
	$(BIN)/python tools/autograder.py

# The codec for web pages, in _build/web, of which `book` takes a copy. Without npm this says so, and makes nothing.
web: setup
	$(BIN)/python tools/export_web.py

bench: setup
	$(BIN)/python tools/bench.py

# More mutants: make fuzz ARGS='--seed 1 -n 100000'
fuzz: setup
	$(BIN)/python tools/fuzz.py $(ARGS)
	$(BIN)/python tools/fuzz.py --model quality -n 2000 $(ARGS)
	$(BIN)/python tools/fuzz.py --through pillow -n 2000 $(ARGS)
	$(BIN)/python tools/fuzz.py --through commands -n 2000 $(ARGS)

matrix:
	python3 tools/matrix.py $(ARGS)

# Goes on where it was stopped: make mutants ARGS='container', make mutants ARGS=--report
mutants: $(VENV)/.extra-mutants
	nice $(BIN)/python tools/mutants.py $(ARGS)

portability: setup
	$(BIN)/python tools/portability.py $(ARGS)

web-limits: setup
	$(BIN)/python tools/web_limits.py

# Some chapters only: make gpu-chapters ARGS='--chapters 04 13'
gpu-chapters: setup
	$(BIN)/python tools/gpu_chapters.py $(ARGS)

shots: book
	$(BIN)/python tools/shots.py

pdf: book
	$(BIN)/python tools/pdf.py --edition $(EDITION)

lab: $(VENV)/.extra-lab
	$(BIN)/jupyter lab book

large: setup
	$(BIN)/python tools/large.py

readme: setup
	$(BIN)/python tools/readme.py --picture

diagrams: setup
	$(BIN)/python tools/draw_diagrams.py

model-card: setup
	$(BIN)/python tools/model_card.py --pictures

verify-results: setup
	$(BIN)/python tools/verify_results.py

set-repo:
	python3 tools/set_repo.py "$(URL)"

set-version:
	python3 tools/set_version.py "$(VERSION)"

release-model: setup
	sh tools/release_model.sh $(BIN)/python "$(RUN)"

clean:
	rm -rf _build build dist .pytest_cache .ruff_cache .npm
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
