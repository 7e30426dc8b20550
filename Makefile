# Every target makes what it needs: `make test` on a fresh machine needs Python 3.11 or newer, its venv module, and make.

# The first that is new enough: an old system's python3 may have a newer one beside it.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
FOUND = $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) $(NEW_ENOUGH) 2>/dev/null && command -v $(name)))
PYTHON ?= $(or $(firstword $(FOUND)),python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test check bench chaos clean pins histories communication behaviours examples screenshots

demo: $(INSTALLED) ## a whole incident, live; SCENARIO=approval, inconclusive or bad-candidate; KEEP=1 leaves it all up
	@$(BIN)/python -m sandbox.demo $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(KEEP),--keep)

test: $(INSTALLED) ## everything: rules, activities, workflows over days of virtual time, one run with real processes
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(INSTALLED) ## lint, types, layering, compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python deploy/check_compose.py

bench: $(INSTALLED) ## cost and speed, as ratios measured in one run; BENCH=storm (a P0 behind 200 P3s), models, queries or replay
	$(BIN)/python -m benchmarks $(BENCH)

chaos: $(INSTALLED) ## incidents whose workers are killed and paused while people read them; SEEDS, KILLS, REMEDY=none, SAVE=dir
	$(BIN)/python -m tests.chaos --seeds $(or $(SEEDS),20) --kills $(or $(KILLS),15) $(if $(REMEDY),--remedy $(REMEDY)) $(if $(SAVE),--save $(SAVE))

histories: $(INSTALLED) ## record again the histories that the replay test replays
	$(BIN)/python -m tests.replay.record

communication: $(INSTALLED) ## write the tables of docs/communication.md and docs/mail again, from the sandbox's ledger
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/communication/test_document.py

behaviours: $(INSTALLED) ## write the "Held by" column of docs/behaviours.md again, from the tests' names
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/house/test_documents.py -k test_the_tests_that_hold

examples: $(INSTALLED) ## write docs/example-postmortem.md and docs/example-report.html again, from a scripted incident
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/postmortem/test_examples.py

screenshots: $(INSTALLED) ## take docs/images again (needs chromium)
	PYTHONPATH=. $(BIN)/python docs/screenshots.py

pins: $(INSTALLED) ## choose the versions in constraints.txt anew
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --all-extras --all-build-deps --allow-unsafe --strip-extras \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file constraints.txt pyproject.toml

clean: ## forget what was installed and built
	rm -rf .venv .demo build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" $(NEW_ENOUGH) 2>/dev/null || { \
		echo "Python 3.11 or newer is needed (found: $$("$(PYTHON)" --version 2>&1)). Install it, or say make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing into .venv (once) ..."
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@PYTHONWARNINGS=ignore:Editable $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
