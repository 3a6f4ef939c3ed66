# make report, make test: all that is needed is Python 3.11-3.13 and make.
CORES ?= all
UV ?= uv
BIN := .venv/bin
READY := .venv/.ready
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES) --configfile

# The first Python that runs, is of a supported version and can make environments.
CHECK := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
FIND := for p in $$PYTHON python3.13 python3.12 python3.11 python3; do \
	"$$p" -c '$(CHECK)' 2>/dev/null && break; p=; done; \
	test -n "$$p" || { echo "No Python 3.11, 3.12 or 3.13 with venv was found: install one" \
	"(Debian, Ubuntu: python3-venv), or name it: PYTHON=/path/to/python make" >&2; exit 1; }

.PHONY: env report smoke paper reference test test-slow lint lock clean

env: $(READY)
	@echo "The environment: . $(BIN)/activate"

report: $(READY)
	$(SNAKEMAKE) config/quick.yaml
	@echo "The report: $(CURDIR)/results/quick/report.html"

smoke: $(READY)
	$(SNAKEMAKE) config/smoke.yaml
	@echo "The report: $(CURDIR)/results/smoke/report.html"

paper: $(READY)
	$(SNAKEMAKE) config/paper.yaml
	@echo "The report: $(CURDIR)/results/paper/report.html"

# Goes on with the run of docs/reference, and puts there what has finished; of some experiments, so
# many trainings at once: make reference ARGS="mnist adam --jobs 2"
reference: $(READY)
	$(BIN)/python tools/reference.py $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint

# Needs uv. `make lock UPGRADE=--upgrade` takes new versions. One version of each package for all
# Pythons and platforms: --fork-strategy fewest.
lock:
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-annotate --no-python-downloads \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--quiet --output-file requirements.txt $(UPGRADE) > /dev/null
	python3 tools/environment.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist nws.egg-info

$(READY): requirements.txt pyproject.toml
	@test -x $(BIN)/python || { $(FIND); echo "Making .venv with $$("$$p" --version)"; \
		"$$p" -m venv .venv; }
	@echo "Installing the packages of requirements.txt: some minutes, the first time"
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
