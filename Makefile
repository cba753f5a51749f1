# Two promises: `make demo` and `make test`. Everything they need is installed into .venv, from the lock files.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

.PHONY: help demo test check format schema revision coverage lock sbom audit bench chaos clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: .venv/.installed  ## gateway and department systems on loopback; PORT=8000 chooses the port
	@$(BIN)/shenhou demo --port $(PORT)

test: .venv/.installed-dev  ## every test
	@$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

check: .venv/.installed-dev  ## format, lint, imports, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: .venv/.installed-dev  ## rewrite the files the way we write them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: .venv/.installed  ## print the published schema to schema/schema.graphql
	$(BIN)/shenhou export-schema

revision: .venv/.installed-dev  ## write the next revision of the database: make revision what="Items have a colour"
	$(BIN)/python -m gateway.store.migrations "$(what)"
	$(BIN)/ruff format gateway/store/migrations

coverage: .venv/.installed-dev  ## print docs/coverage.md: every row, where it is carried out, its tests
	@$(BIN)/python -m tests.coverage_table

lock: .venv/.installed-dev  ## resolve the dependencies again (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --group dev pyproject.toml -o requirements-dev.txt

sbom: .venv/.installed-dev  ## what is inside (CycloneDX): sbom.json, from the lock file
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible -o sbom.json

audit: .venv/.installed-dev  ## known vulnerabilities of what is locked; STRICT=1 fails when they cannot be looked up
	@$(BIN)/python -m tools.audit || { code=$$?; test $$code -eq 3 && test -z "$(STRICT)"; }

bench: .venv/.installed-dev  ## what a query, a case and waiting cost; most of an hour
	@$(BIN)/python benchmarks/query.py
	@$(BIN)/python -m benchmarks.refused
	@$(BIN)/python -m benchmarks.throughput --json var/throughput.json
	@$(BIN)/python -m benchmarks.waiting --json var/waiting.json

chaos: .venv/.installed-dev  ## 500 cases while everything is killed around them; a quarter of an hour for each database
	@$(BIN)/python -m benchmarks.chaos --database postgresql --json var/chaos-postgresql.json
	@$(BIN)/python -m benchmarks.chaos --database sqlite --json var/chaos-sqlite.json

clean:  ## remove what the other targets made
	rm -rf .venv .tools .demo var

# Debian's python3 may come without venv: virtualenv, put into .tools, makes the same environment.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; \
	  $(PYTHON) -m pip install -q --target .tools virtualenv && PYTHONPATH=.tools $(PYTHON) -m virtualenv -q .venv; }

.venv/.installed: .venv/bin/python requirements.txt pyproject.toml
	@echo "installing the locked dependencies into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "installing the locked development tools into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
