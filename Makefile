# One command each; `make help` lists them.

PORT ?= 8080
REPLICAS ?= 1
# How long `make soak` lasts.
MINUTES ?= 60
# Test workers: most tests wait for something more than they compute.
WORKERS ?= 3

BIN := .venv/bin
READY := .venv/.ready
PROJECTS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml dev/pyproject.toml)

# Without addresses: whoever installs uses an index of their own. One lock for every Python from 3.11 on. What runs in
# production (the services' locks) is held to the versions that are tested (dev's).
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(LOCK_OPTIONS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## say what there is
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## start all of Parley on this machine (PORT=8080 REPLICAS=1); Ctrl-C stops it
	@exec $(BIN)/python -m parley_dev --with-parent --port $(PORT) --replicas $(REPLICAS)

.PHONY: setup
setup: $(READY) ## install what the other commands need (they do it themselves)

# What fails beside others is tried once more by itself: a deadline missed on a busy machine is no fault, what fails
# alone is one. Both runs are shown.
.PHONY: test
test: $(READY) check test-web ## check, then run all tests
	$(BIN)/python -m pytest tests -n $(WORKERS) || $(BIN)/python -m pytest tests --last-failed

.PHONY: prove
prove: $(READY) ## hold the guarantees against kills, cuts and races, and print a figure each (about 10 minutes)
	PARLEY_PROVE=long $(BIN)/python -m pytest tests/reliability

.PHONY: bench
bench: $(READY) ## measure against the limit of the machine (BENCH=delivery for a part, QUICK=1 to see that it runs)
	$(BIN)/python -m bench $(BENCH) $(if $(QUICK),--quick)

.PHONY: soak
soak: $(READY) ## an hour at half load with kills and broker restarts (MINUTES=60): nothing lost, memory flat
	PARLEY_SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest tests/reliability/test_soak.py

.PHONY: check
check: $(READY) ## look at format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(wildcard libs/*/src services/*/src) dev/src bench tests
	$(BIN)/lint-imports
	scripts/web check

.PHONY: web-types
web-types: $(READY) ## generate the web pages' API types from the OpenAPI document
	scripts/web types

.PHONY: test-web
test-web: ## run the web pages' unit tests
	scripts/web test

.PHONY: format
format: $(READY) ## put the code in its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(READY) ## resolve requirements/*.in anew into *.txt (LOCK_OPTIONS=--upgrade for newer versions)
	@$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	@for input in $(filter-out requirements/dev.in,$(wildcard requirements/*.in)); do \
		$(LOCK) --constraint requirements/dev.txt $$input --output-file $${input%.in}.txt || exit 1; \
	done

.PHONY: clean
clean: ## remove the environment, the caches and the data of `make run`
	rm -rf .venv .dev .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Done again when a lock or a project file is newer than the last time.
$(READY): requirements/dev.txt $(PROJECTS) scripts/setup
	@scripts/setup

COMPOSE := docker compose --file deploy/compose.yaml

.PHONY: up
up: ## start Parley in containers (docker compose); secrets are made the first time
	@deploy/make-env.sh
	$(COMPOSE) up --build --detach --wait

.PHONY: down
down: ## stop the containers; data stays in their volumes
	$(COMPOSE) down

.PHONY: image
image: ## build one image: make image SERVICE=chat (gateway: WEB=true for the web pages)
	@: $(if $(SERVICE),,$(error say which: make image SERVICE=gateway|chat|presence|notify|translate))
	docker build --file deploy/Dockerfile --tag parley/$(SERVICE) \
		--build-arg SERVICE=$(SERVICE) --build-arg WEB=$(or $(WEB),false) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) .
