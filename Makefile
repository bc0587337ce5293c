# HydroML: `make run` serves, `make test` proves, `make help` tells the rest.
# Needs Python 3.11 to 3.14, git and make; everything else is brought along, into .venv and the front end's node_modules.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PORT ?= 8000
HYDROML_DATA_DIR ?= $(CURDIR)/data
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
WEB := src/hydroml/entrypoints/web
FRONTEND := $(WEB)/frontend
BUILT := $(WEB)/static/dist/manifest.json
# Tailwind reads the templates for the classes they use.
FRONTEND_SOURCES := $(shell find $(FRONTEND) $(WEB) -name node_modules -prune -o -path $(WEB)/static -prune -o \
	\( -path '$(FRONTEND)/*' -o -name '*.html' \) -type f -print 2>/dev/null)

export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_SYSTEM_CERTS := true
export NODE_USE_SYSTEM_CA := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode every process would compile MLflow again, and these would install elsewhere than into .venv.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_CONSTRAINT PIP_NO_COMPILE
unexport UV_PROJECT_ENVIRONMENT UV_SYSTEM_PYTHON UV_TARGET UV_PREFIX

# $(call install,FILE): the packages of a lock file, every hash checked; uv where it works, else pip, which asks the same of them.
UV = $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
install = $(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement $(1) \
	|| $(BIN)/python -m pip install --quiet --require-hashes --requirement $(1)

NODE_IS_NEW_ENOUGH := const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)

.PHONY: help run test check bench lock clean setup setup-dev frontend

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup frontend ## Serve on http://127.0.0.1:8000 (PORT=, HYDROML_DATA_DIR=)
	@exec env HYDROML_DATA_DIR="$(HYDROML_DATA_DIR)" $(BIN)/hydroml serve --port "$(PORT)"

test: setup-dev frontend ## Every test, a real browser included (ARGS= for pytest)
	@CHROMIUM=$$(sh .ci/chromium) && export CHROMIUM && exec $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: setup-dev ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev frontend ## The benchmarks (ARGS= to choose)
	$(BIN)/python -m benchmarks $(ARGS)

lock: setup-dev ## Renew the lock files after a change of pyproject.toml
	@for lock in "--group=build pyproject.toml -o requirements.lock" "--group=build --group=dev pyproject.toml -o requirements-dev.lock" \
		"--group=uv -o requirements-uv.lock" "--group=node -o requirements-node.lock"; do \
		$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-annotate $$lock || exit 1; done

clean: ## Remove what was built and installed; the data folder stays
	rm -rf $(VENV) $(WEB)/static $(FRONTEND)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

setup: $(VENV)/.run $(VENV)/.hydroml
setup-dev: $(VENV)/.dev $(VENV)/.hydroml
frontend: $(BUILT)

$(VENV)/.made:
	@python=$$(for p in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
		"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && { echo "$$p"; break; }; done); \
	[ -n "$$python" ] || { echo "HydroML needs Python 3.11 to 3.14 on the PATH (or PYTHON=/path/to/python3)" >&2; exit 1; }; \
	echo "Setting up $(VENV) with $$($$python --version)"; rm -rf $(VENV); \
	if command -v uv >/dev/null; then uv venv --quiet --seed --python "$$python" $(VENV); else "$$python" -m venv $(VENV); fi \
	|| { echo "cannot make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-uv.lock
	@touch $@

$(VENV)/.run: requirements.lock | $(VENV)/.made
	@echo "Installing the packages of $<"; $(call install,$<)
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.made
	@echo "Installing the packages of $<"; $(call install,$<)
	@touch $@ $(VENV)/.run

$(VENV)/.hydroml: pyproject.toml | $(VENV)/.made
	@[ -e $(VENV)/.run ] || { $(call install,requirements.lock); }
	@$(UV) pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation --editable . \
		|| $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(BUILT): $(FRONTEND_SOURCES) | $(VENV)/.run
	@path=$$PATH; \
	if ! { command -v npm >/dev/null && node -e '$(NODE_IS_NEW_ENOUGH)' 2>/dev/null; }; then \
		[ -x $(BIN)/npm ] || { echo "Installing node"; $(call install,requirements-node.lock); } || exit 1; \
		path="$(CURDIR)/$(BIN):$$PATH"; fi; \
	export PATH="$$path"; cd $(FRONTEND) || exit 1; \
	if [ ! -e node_modules/.complete ] || [ package-lock.json -nt node_modules/.complete ]; then \
		echo "Installing the front end's packages"; \
		npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error && touch node_modules/.complete || exit 1; fi; \
	echo "Building the front end"; npx --no-install vite build --logLevel error && \
	"$(CURDIR)/$(BIN)/python" -m whitenoise.compress --quiet ../static/dist
	@touch $@
