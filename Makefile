# One command each; `make help` lists them.

PORT ?= 8080
REPLICAS ?= 1
# How long `make soak` lasts.
MINUTES ?= 60
# Test workers: most tests wait more than they compute.
WORKERS ?= 3

# Python caches compiled modules: without, every start of a service costs a second more.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
PROJECTS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml dev/pyproject.toml)

# Without index URLs: each installation uses its own index. One lock for every Python from 3.11 on. The services' locks
# are constrained to the versions that are tested (dev's).
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(LOCK_OPTIONS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## start all of Parley on this machine (PORT=8080 REPLICAS=1, S3=1: images in S3); Ctrl-C stops it
	@exec $(BIN)/python -m parley_dev --with-parent --port $(PORT) --replicas $(REPLICAS) $(if $(S3),--s3)

.PHONY: setup
setup: $(READY) ## install what the other commands need (they do it themselves)

# Failed tests are repeated once, alone: a deadline missed on a busy machine is reported as flaky, not as a failure.
.PHONY: test
test: $(READY) check test-web ## check, then run all tests
	$(BIN)/python scripts/run_tests.py tests -n $(WORKERS)

# Its tests wait more than those of the other directories.
.PHONY: test-fast
test-fast: WORKERS = 6
test-fast: $(READY) ## run the unit and component tests (test-unit, test-e2e, … run one directory of tests/)
	$(BIN)/python scripts/run_tests.py tests/unit tests/component -n $(WORKERS)

TEST_DIRECTORIES := unit component contract security e2e browser
.PHONY: $(TEST_DIRECTORIES:%=test-%)
$(TEST_DIRECTORIES:%=test-%): test-%: $(READY)
	$(BIN)/python scripts/run_tests.py tests/$* -n $(WORKERS)

# Their tests last longer than the time after which a test is taken to hang (pyproject.toml).
NO_HANG_LIMIT := -o faulthandler_timeout=0

.PHONY: test-reliability
test-reliability: $(READY) ## run the guarantees under faults in their full form (about 10 minutes)
	PARLEY_RELIABILITY=full $(BIN)/python -m pytest $(NO_HANG_LIMIT) tests/reliability

.PHONY: prove
prove: test-reliability ## the same as test-reliability

.PHONY: bench
bench: $(READY) ## run the benchmarks (BENCH=delivery for one, QUICK=1 to see that they run)
	$(BIN)/python -m bench $(BENCH) $(if $(QUICK),--quick)

.PHONY: soak
soak: $(READY) ## run half load with kills and broker restarts for an hour (MINUTES=60): nothing lost, memory flat
	PARLEY_SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest $(NO_HANG_LIMIT) tests/reliability/test_soak.py

.PHONY: check
check: $(READY) ## check format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(wildcard libs/*/src services/*/src) dev/src bench tests
	$(BIN)/lint-imports
	scripts/web check

.PHONY: chart
chart: $(READY) ## write the templates of the Helm chart from the kustomize tree (needs kubectl)
	$(BIN)/python -m parley_dev.chart

.PHONY: reference
reference: $(READY) ## write the lists of environment variables and metrics in docs/operations.md
	$(BIN)/python -m parley_dev.environment --write docs/operations.md
	$(BIN)/python -m parley_dev.metrics --write docs/operations.md

.PHONY: web-types
web-types: $(READY) ## generate the web pages' API types from the OpenAPI document
	scripts/web types

.PHONY: test-web
test-web: ## run the web pages' unit tests
	scripts/web test

.PHONY: format
format: $(READY) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(READY) ## resolve requirements/*.in into *.txt (LOCK_OPTIONS=--upgrade for newer versions)
	@$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	@for input in $(filter-out requirements/dev.in,$(wildcard requirements/*.in)); do \
		$(LOCK) --constraint requirements/dev.txt $$input --output-file $${input%.in}.txt || exit 1; \
	done

.PHONY: clean
clean: ## remove the environment, the caches and the data of `make run`
	rm -rf .venv .dev .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Runs again when a lock or a project file is newer than the last run.
$(READY): requirements/dev.txt $(PROJECTS) scripts/setup
	@scripts/setup

COMPOSE := docker compose --file deploy/compose.yaml

.PHONY: up
up: ## start Parley in containers (docker compose); secrets are generated the first time
	@deploy/make-env.sh
	$(COMPOSE) up --build --detach --wait

.PHONY: down
down: ## stop the containers; data stays in their volumes
	$(COMPOSE) down

.PHONY: image
image: ## build one image: make image SERVICE=chat (gateway: WEB=true for the web pages)
	@: $(if $(SERVICE),,$(error which service? make image SERVICE=gateway|chat|presence|notify|translate))
	docker build --file deploy/Dockerfile --tag parley/$(SERVICE) \
		--build-arg SERVICE=$(SERVICE) --build-arg WEB=$(or $(WEB),false) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) .
