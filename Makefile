# Every target sets up what it needs. `make demo` and `make test` are the two to know.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
LOCK := --universal --generate-hashes --no-annotate --no-header --quiet --no-strip-extras

.PHONY: setup demo test check chaos bench docs reference manifests wheel sbom audit deb image lock clean

setup: $(VENV)/.run

demo: $(VENV)/.run
	@$(BIN)/servicestage-auditd demo $(ARGS)

test: $(VENV)/.dev
	@tests/tools/install
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --include='auditd/audit/*' --fail-under=100 --skip-covered
	$(BIN)/coverage report --skip-covered --sort=cover | tail -n 25

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The long run: ROUNDS kills at random points, every failpoint, a day without a receiver.
ROUNDS ?= 2000
chaos: $(VENV)/.dev
	AUDITD_CHAOS_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -s tests/chaos $(ARGS)

# Half an hour, and benchmarks/RESULTS.md; with SHORT=1 two minutes, and nothing but a table.
bench: $(VENV)/.dev
	@benchmarks/install
	$(BIN)/python -m benchmarks $(if $(SHORT),--short,--output=benchmarks/RESULTS.md) $(ARGS)

# The pages as a site in build/docs; a warning is an error.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -Wnqb html -d build/doctrees docs build/docs

# Rewrites docs/reference from the code.
reference: $(VENV)/.dev
	$(BIN)/python -m docs.generator

# What is made from other files of the repository: Kubernetes' copy of the rules, the chart's schema.
manifests: $(VENV)/.dev
	$(BIN)/python -m tests.deploy.prometheus_rule
	$(BIN)/python -m tests.deploy.chart

# What is handed out, in dist/.
wheel: $(VENV)/.run
	deploy/wheel/build $(BIN)/python

sbom: $(VENV)/.dev
	@mkdir -p dist
	deploy/wheel/sbom $(BIN)/python > dist/sbom.cdx.json

audit: $(VENV)/.dev
	@mkdir -p dist
	$(BIN)/pip-audit --requirement requirements/full.txt --require-hashes --disable-pip --format json > dist/audit.json || true
	deploy/wheel/audit dist/audit.json

deb:
	deploy/debian/build

image:
	docker build --file deploy/docker/Dockerfile --tag servicestage-auditd .

# Rewrites the lock files from pyproject.toml; everything else only reads them.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile $(LOCK) --group build -o requirements/build.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra fast --extra postgres -o requirements/full.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra fast --extra postgres --group test --group lint --group ship --group build -o requirements/dev.txt

clean:
	rm -rf $(VENV) .tools .coverage .mypy_cache .pytest_cache .ruff_cache

# The lock files are complete, so nothing is resolved here: a release of today changes nothing.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@
