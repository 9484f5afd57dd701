# make demo         the whole product with a stand-in for Cloud Elements (ONCE=1 stops after the table)
# make test         all tests
# make test-sdks    what the vendors' own SDKs send to revoke, beside what ceadmin sends
# make bench        how fast the engine is (CHECK=1 fails on a missed figure, ONLY=speed,pages for parts)
# make screenshots  pictures of every page into var/screenshots
# make messages     the sentences of the product for translators, and compiled
# make lint         what .ci/run checks before the tests

PYTHON ?= python3
VENV := .venv
SDKS := .venv-sdks
RUN := $(VENV)/bin/python
SHELL := /bin/bash

.PHONY: help demo test test-sdks bench lint types lock messages screenshots clean

help:
	@sed -n '/^# make /s/^# //p' Makefile

demo: $(VENV)/runtime.lock
	@exec $(RUN) manage.py up --demo $(if $(ONCE),--once)

test: $(VENV)/tests.lock
	@exec $(RUN) -m tests.run $(ARGS)

test-sdks: $(VENV)/tests.lock $(SDKS)/sdks.lock
	@exec env SDKS_PYTHON=$(SDKS)/bin/python $(RUN) -m pytest tests/sdks $(ARGS)

bench: $(VENV)/tests.lock
	@exec $(RUN) -m tests.bench.run $(if $(CHECK),--check) $(if $(ONLY),--only $(ONLY))

lint: $(VENV)/tests.lock
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/djlint --lint --quiet ceadmin instances providers

screenshots: $(VENV)/tests.lock
	$(RUN) -m pytest -q tests/browser/shots.py
	@echo "Look at them in var/screenshots."

types: $(VENV)/tests.lock
	$(VENV)/bin/mypy

# The exact pins with hashes, after a change in one of the three requirements.txt.
lock:
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	  requirements.txt --output-file requirements.lock
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	  tests/requirements.txt --constraint requirements.lock --output-file tests/requirements.lock
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	  tests/sdks/requirements.txt --output-file tests/sdks/requirements.lock

# The sentences of the product, for translators, and what is served of them: needs gettext.
messages: $(VENV)/tests.lock
	$(RUN) manage.py makemessages --locale de --no-obsolete --no-wrap --add-location file \
	  --extension html,txt,py $(foreach folder,tests docs var $(VENV) $(SDKS),--ignore $(folder))
	$(RUN) manage.py compilemessages --locale de --ignore $(VENV) --ignore $(SDKS)

clean:
	rm -rf $(VENV) $(SDKS) var/demo

# Installed again only when the lock's content changed; needs no network otherwise.
$(VENV)/runtime.lock: requirements.lock
	@$(call install,requirements.lock,$@,$(VENV))

$(VENV)/tests.lock: tests/requirements.lock requirements.lock
	@$(call install,tests/requirements.lock,$@,$(VENV))
	@cp requirements.lock $(VENV)/runtime.lock

$(SDKS)/sdks.lock: tests/sdks/requirements.lock
	@$(call install,tests/sdks/requirements.lock,$@,$(SDKS))

# $(1) the lock, $(2) the copy of it that tells what is installed, $(3) the environment
define install
if cmp --silent $(1) $(2); then touch $(2); else \
  set -e; \
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ceadmin needs Python 3.11 or newer; name one with PYTHON=…")'; \
  [ -x $(3)/bin/python ] || $(PYTHON) -m venv $(3); \
  echo "Installing $(1) into $(3) …"; \
  uv pip install --quiet --python $(3)/bin/python --require-hashes -r $(1) 2>/dev/null || \
    $(3)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r $(1) || \
    { echo "$(1) is NOT installed: that needs the package index once, and nothing was run." >&2; exit 1; }; \
  cp $(1) $(2); \
fi
endef
