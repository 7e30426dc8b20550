# Every target installs what it needs: on a fresh machine, `make test` needs Python 3.11 or newer, its venv module, and make.

# The first interpreter that is new enough: an old system's python3 may have a newer one beside it.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
FOUND = $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) $(NEW_ENOUGH) 2>/dev/null && command -v $(name)))
PYTHON ?= $(or $(firstword $(FOUND)),python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
CHAOS_OPTIONS = --jobs $(or $(JOBS),2) --minutes $(or $(MINUTES),10) $(if $(POSTGRESQL),--postgresql) $(if $(MARKDOWN),--markdown) $(if $(SAVE),--save $(SAVE))
# Native code can crash a process of the tests: a thread that reads the environment while a test sets a variable, and the
# SDK's (temporalio/sdk-python#300). A test that this ended is run again, once; one that fails is not, because no error
# reads like that.
RERUN_A_CRASH = --reruns 1 --only-rerun '^a crash of the process alone$$'
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Each process of the tests would compile all modules again, and each worker of pytest rewrite all assertions.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test long check check-types check-the-rest audit size bench load chaos chaos-steps chaos-queries chaos-alertmanager upgrade-test clean pins histories communication behaviours effects schema examples screenshots thorough metrics runbook-schema configuration scaling docs play release

DEMO = $(BIN)/python -m sandbox.demo $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(VERBOSE),--verbose)
demo: $(INSTALLED) ## one incident from alert to post-mortem; SCENARIO=approval, inconclusive or bad-candidate; VERBOSE=1; KEEP=1 leaves a live P0 to you
	@$(DEMO) $(if $(KEEP),--keep)

play: $(INSTALLED) ## a live P0 for you, in the browser: the gateway's pages, and Slack's stand-in with buttons; PORT
	@$(DEMO) --play $(if $(PORT),--port $(PORT))

test: $(INSTALLED) ## all tests: rules, activities, workflows over days of virtual time, and a run with real processes
	$(BIN)/python -m pytest -n 4 --dist worksteal $(RERUN_A_CRASH)

long: $(INSTALLED) ## a P0 of 60 days in virtual time, with 10,000 alert signals: about an hour; HOURS, SIGNALS
	HOURS=$(or $(HOURS),1440) SIGNALS=$(or $(SIGNALS),10000) $(BIN)/python -m pytest -q -s -n 0 --timeout 36000 tests/domain/test_archiving.py tests/workflows/evidence/test_archive.py -k weeks

check: $(INSTALLED) ## lint, types, layering, compose file, Kubernetes manifests, insecure code, credentials in the repository; all offline
	@$(MAKE) --no-print-directory -j 2 check-types check-the-rest

check-types: $(INSTALLED)
	$(BIN)/mypy .

check-the-rest: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.check_compose
	$(BIN)/python -m deploy.check_kubernetes
	$(BIN)/bandit --quiet --recursive --severity-level medium incidents workflows activities worker.py starter.py deploy
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

audit: $(INSTALLED) ## known vulnerabilities of the pinned versions; needs the network
	@$(BIN)/python -m deploy.audit_pins

size: $(INSTALLED) ## the size of what the image installs, in MB, beside that of .venv
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(BIN)/python -m venv --without-pip $$folder/venv \
		&& $(BIN)/pip --python $$folder/venv/bin/python install --quiet --require-hashes -r requirements.txt \
		&& du -sm $$folder/venv .venv

bench: $(INSTALLED) ## cost and latency, as ratios measured in one run; BENCH=storm (a P0 behind 200 P3s), intake, models, queries or replay
	$(BIN)/python -m benchmarks $(BENCH)

load: $(INSTALLED) ## many incidents on two workers, one killed half-way; INCIDENTS, POSTGRESQL=1 (docs/reliability.md)
	INCIDENTS=$(or $(INCIDENTS),400) POSTGRESQL=$(POSTGRESQL) $(BIN)/python -m benchmarks load

thorough: $(INSTALLED) ## the tests in their long forms: all worker modes, more kills, more examples; about half an hour
	THOROUGH=1 $(BIN)/python -m pytest -n 4 --dist worksteal --timeout 900 $(RERUN_A_CRASH)

chaos: $(INSTALLED) ## whole incidents while every process is killed or stopped and vendors fail; SEEDS, FIRST, FAULTS, JOBS, MINUTES=0, POSTGRESQL=1, MARKDOWN=1, SAVE=dir
	$(BIN)/python -m tests.chaos.lifecycle --seeds $(or $(SEEDS),4) --first $(or $(FIRST),1) --faults $(or $(FAULTS),14) $(CHAOS_OPTIONS)

chaos-steps: $(INSTALLED) ## the worker killed right before and after each step of a rollback and a publication; ONLY=redeploy, TOGETHER=1, and as above
	$(BIN)/python -m tests.chaos.lifecycle --steps $(if $(ONLY),--only $(ONLY)) $(if $(TOGETHER),--together) $(CHAOS_OPTIONS)

chaos-queries: $(INSTALLED) ## incidents whose workers are killed and paused during queries; SEEDS, KILLS, REMEDY=none, SAVE=dir
	$(BIN)/python -m tests.chaos --seeds $(or $(SEEDS),20) --kills $(or $(KILLS),15) $(if $(REMEDY),--remedy $(REMEDY)) $(if $(SAVE),--save $(SAVE))

chaos-alertmanager: $(INSTALLED) ## the same alerts and deaths, Debian's Alertmanager beside this program: about 4 minutes; ALERTS, MARKDOWN=1, SAVE=dir
	$(BIN)/python -m tests.chaos.alertmanager --alerts $(or $(ALERTS),20) $(if $(MARKDOWN),--markdown) $(if $(SAVE),--save $(SAVE))

# Until 0.2.0 is tagged: the first commit whose histories must replay. Then the tag of the last release.
UPGRADE_FROM = e25d390
upgrade-test: $(INSTALLED) ## incidents begun by an earlier commit's workers and finished by this one's; UPGRADE_FROM, JOBS, SAVE=dir
	$(BIN)/python -m tests.upgrade --release $(UPGRADE_FROM) --jobs $(or $(JOBS),1) $(if $(SAVE),--save $(SAVE))

histories: $(INSTALLED) ## record the histories of the replay test again
	$(BIN)/python -m tests.replay.record

communication: $(INSTALLED) ## regenerate the tables of docs/communication.md, and docs/mail, from the sandbox's ledger
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/communication/test_document.py

behaviours: $(INSTALLED) ## regenerate the "Held by" column of docs/behaviours.md from the names of tests
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/house/test_documents.py -k test_the_tests_that_hold

effects: $(INSTALLED) ## regenerate the table of docs/effects.md from what the requests declare
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/activities/effects/test_effects.py -k document

metrics: $(INSTALLED) ## regenerate the table of metrics in docs/operating.md from incidents/metrics.py
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/house/test_monitoring.py -k table

schema: $(INSTALLED) ## regenerate docs/alert-schema.json from the model of our own JSON
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/client/alert_sources/test_samples.py -k schema

runbook-schema: $(INSTALLED) ## regenerate docs/runbook.schema.json from the models of runbook.yaml
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/domain/config/test_json_schema.py -k published

configuration: $(INSTALLED) ## regenerate docs/runbook-reference.md, and docs/configuration.md's table of variables, from the models
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/house/test_configuration.py -k generated

scaling: $(INSTALLED) ## regenerate the counts of docs/scaling.md from the recorded histories and docs/communication.md
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/house/test_scaling.py -k generated

examples: $(INSTALLED) ## regenerate docs/example-postmortem.md and docs/example-report.html from a scripted incident
	WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/postmortem/test_examples.py

screenshots: $(INSTALLED) ## regenerate docs/images (needs chromium)
	PYTHONPATH=. $(BIN)/python docs/screenshots.py

# In an environment of its own: it is as large as a fifth of .venv, and no test needs it.
SITE := .venv/docs
docs: $(SITE)/.installed ## the documents as a site in build/docs; broken links and anchors fail
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict
	@echo "Built: build/docs/index.html"

$(SITE)/.installed: requirements-docs.txt
	@"$(PYTHON)" -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
WITH_TOOLS := --all-build-deps --allow-unsafe

pins: $(INSTALLED) ## upgrade all pinned versions; requirements.txt has what runs, -dev.txt what .venv has, -docs.txt what `make docs` has
	$(COMPILE) $(WITH_TOOLS) --upgrade --all-extras --output-file constraints.txt pyproject.toml
	$(COMPILE) --constraint constraints.txt --output-file requirements.txt pyproject.toml
	$(COMPILE) $(WITH_TOOLS) --constraint constraints.txt --extra dev --extra demo --extra otel --output-file requirements-dev.txt pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' \
		| $(COMPILE) --constraint constraints.txt --output-file requirements-docs.txt -

release: $(INSTALLED) ## wheel, source distribution, bill of materials (CycloneDX) and digests of HEAD in dist/, built twice and compared; TAG
	@$(BIN)/python -m deploy.release $(if $(TAG),--tag $(TAG))

clean: ## remove the virtual environment, build results and caches
	rm -rf .venv .demo build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): pyproject.toml requirements-dev.txt
	@"$(PYTHON)" $(NEW_ENOUGH) 2>/dev/null || { \
		echo "Python 3.11 or newer is needed (found: $$("$(PYTHON)" --version 2>&1)). Install it, or run make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing into .venv (once) ..."
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@PYTHONWARNINGS=ignore:Editable $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
