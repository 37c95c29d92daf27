# Two commands are all the set-up there is: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests wait for others half of their time: one process more than there are cores.
PARALLEL := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
UV     := $(shell command -v uv 2>/dev/null)

# A lock with hashes, installed by uv where there is one, else by pip.
ifeq ($(UV),)
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
project = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
else
install = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r $(1)
project = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
endif

.PHONY: demo test check lint browser lock catalogs clean

demo: $(VENV)/.run
	@$(BIN)/mobilizer demo

test: $(VENV)/.dev browser lint
	@$(BIN)/python -m pytest -n $(PARALLEL) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.run
	@$(BIN)/mobilizer demo --check

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# The browser stories need Chromium: Debian's package where apt and root are at hand, else one clear line.
browser:
	@if command -v chromium >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  echo "Installing Chromium for the browser stories ..."; \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core) >/dev/null 2>&1 \
	    || echo "Chromium could not be installed: the browser stories are skipped. Install the package 'chromium' to run them."; \
	else echo "No Chromium here: the browser stories are skipped. Install the package 'chromium' (as root: apt-get install chromium) to run them."; fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mobilizer needs Python 3.11 or later; '$(PYTHON)' is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Mobilizer needs into $(VENV) ..."
	@$(call install,requirements.lock)
	@$(project)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what the tests need into $(VENV) ..."
	@$(call install,requirements-dev.lock)
	@touch $@

# Written anew by hand, when a dependency changes.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

# New phrases into every catalog, gone ones out; what has no translation yet stays empty for a person to write.
EXTRACT := $(BIN)/pybabel -q extract -F babel.cfg --ignore-dirs '.*' --no-location --sort-output --omit-header -k pgettext:1c,2 -k npgettext:1c,2,3 -k _:1 -k N_:1 -k P_:1,2
catalogs: $(VENV)/.run
	@$(EXTRACT) -o var/web.pot mobilizer/web mobilizer/organizers mobilizer/segments mobilizer/blasts mobilizer/appeals mobilizer/audience mobilizer/delivery mobilizer/custody mobilizer/notices mobilizer/transport mobilizer/message
	@$(EXTRACT) -o var/member.pot mobilizer/public mobilizer/signups mobilizer/rights mobilizer/engagement templates/email
	@$(BIN)/python -m mobilizer.catalogs var/web.pot var/member.pot

clean:
	rm -rf $(VENV) var
