# Needs Python 3.11 or later, make and the package registries (PyPI, npm); nothing else. Node comes from PyPI.
#
#   make synth   hardened CloudFormation for the reference application, in cdk.out
#   make test    everything that CI checks

PYTHON ?= python3
# Which environments of the reference application: dev, prod or all.
ENVIRONMENT ?= all

VENV := .venv
CHECKOV_VENV := .venv-checkov
MINISTACK_VENV := .venv-ministack
BIN := $(VENV)/bin
CDK := node_modules/.bin/cdk

# node, npm and the tools of the virtual environment go before whatever the machine has.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export JSII_NODE := $(CURDIR)/$(BIN)/node
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export CDK_DISABLE_CLI_TELEMETRY := true
export npm_config_update_notifier := false
# Lint and tests start some hundreds of interpreters, and each would compile what it imports anew.
unexport PYTHONDONTWRITEBYTECODE
# Like pip, trust the certificates that the machine trusts.
export NODE_USE_SYSTEM_CA := 1

# Without byte code for everything: aws-cdk-lib alone has 300 MB of it, of which a run needs a few percent.
PIP_INSTALL := -m pip --quiet --no-input install --no-compile
# In the order that tests/conftest.py gives them, and not by their number.
PYTEST_FLAGS ?= -n auto --dist loadfile --no-loadscope-reorder --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install assembly synth diff lint pytest test e2e docs pictures bench lock clean

help: ## This list
	@echo "Targets:"
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  %-9s %s\n", $$1, $$2 }'

install: $(VENV)/.installed node_modules/.installed ## Python packages in .venv, Node and the CDK CLI beside them

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is %s: make PYTHON=/path/to/python3.12 ..." % sys.version.split()[0])'
	@echo "== $(VENV): $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Hash-checked, then the package itself, editable, without asking a registry for anything.
$(VENV)/.installed: requirements.lock pyproject.toml $(VENV)/.created
	@echo "== $(VENV): requirements.lock"
	@$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q kms_constructs  # else all that starts at once compiles it at once
	@touch $@

# npm ci checks each package against the integrity in the lock; no package may run a script of its own.
node_modules/.installed: package-lock.json package.json $(VENV)/.installed
	@echo "== node_modules: package-lock.json"
	@$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null
	@touch $@

$(CHECKOV_VENV)/.installed: requirements-checkov.lock $(VENV)/.created
	@echo "== $(CHECKOV_VENV): requirements-checkov.lock"
	@$(BIN)/python -m venv $(CHECKOV_VENV)
	@$(CHECKOV_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r requirements-checkov.lock
	@touch $@

$(MINISTACK_VENV)/.installed: requirements-ministack.lock $(VENV)/.created
	@echo "== $(MINISTACK_VENV): requirements-ministack.lock"
	@$(BIN)/python -m venv $(MINISTACK_VENV)
	@$(MINISTACK_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r requirements-ministack.lock
	@touch $@

assembly: install
	@echo "== cdk synth (environment: $(ENVIRONMENT))"
	@rm -rf cdk.out
	@$(CDK) synth --quiet --context environment=$(ENVIRONMENT)

synth: assembly ## The reference application's CloudFormation in cdk.out, through its guardrails; then who may do what
	@$(BIN)/kms-constructs explain cdk.out

# Without credentials: against the templates of the last `make synth`. `cdk diff` itself asks AWS what is deployed.
diff: install ## What changed in the reference application since the last `make synth`; then who gains and loses access
	@test -d cdk.out || { echo "There is no cdk.out to compare with: run make synth, change the application, then make diff."; exit 2; }
	@$(CDK) synth --quiet --output cdk.out.new --context environment=$(ENVIRONMENT)
	@for new in cdk.out.new/*.template.json; do \
	  stack=$$(basename "$$new" .template.json); old=cdk.out/$$stack.template.json; \
	  test -f "$$old" || { old=cdk.out.new/.empty.json; echo '{}' > "$$old"; }; \
	  $(CDK) diff "$$stack" --app cdk.out.new --exclusively --template "$$old" || exit 1; \
	done
	@$(BIN)/kms-constructs diff cdk.out cdk.out.new

lint: assembly $(CHECKOV_VENV)/.installed ## ruff, mypy, import-linter; cfn-lint and Checkov over cdk.out
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy"
	@$(BIN)/mypy
	@echo "== import-linter"
	@$(BIN)/lint-imports --no-logo
	@echo "== cfn-lint"
	@$(BIN)/cfn-lint --template 'cdk.out/**/*.template.json'
	@echo "== checkov"
	@$(CHECKOV_VENV)/bin/checkov --config-file .checkov.yaml

pytest: install $(MINISTACK_VENV)/.installed ## The tests alone
	@echo "== pytest"
	@$(BIN)/pytest $(PYTEST_FLAGS)

# Lint and the chain keep one core busy and leave the other idle, so they run beside the tests, and each says what it
# has to say in one piece (before GNU make 4.0: in between).
test: ## Everything that CI checks
	@$(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) pytest lint e2e

e2e: assembly $(MINISTACK_VENV)/.installed ## The whole chain in one run, against an emulator: deploy, audit, watch, import, change, share, trail
	@echo "== e2e"
	@$(BIN)/python -m e2e --synthesized cdk.out

docs: install ## The documentation as a site in site/; links that lead nowhere fail it
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "site/index.html"

pictures: install ## The pictures of the documentation anew; the HTML report's needs a Chromium
	@$(BIN)/python -m tools.pictures

bench: export CHECKOV := $(CURDIR)/$(CHECKOV_VENV)/bin/checkov
bench: install $(CHECKOV_VENV)/.installed ## Measurements beside the peers, and mutants of every layer, printed
	@for file in $(sort $(wildcard benchmarks/[a-z]*.py)); do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

lock: $(VENV)/.installed ## Takes newer versions into the lock files
	@echo "== requirements.lock, requirements-checkov.lock, requirements-ministack.lock"
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --group docs $(UV_FLAGS) --output-file requirements.lock
	@$(BIN)/uv pip compile --group pyproject.toml:checkov $(UV_FLAGS) --output-file requirements-checkov.lock
	@$(BIN)/uv pip compile --group pyproject.toml:ministack $(UV_FLAGS) --output-file requirements-ministack.lock
	@echo "== package-lock.json"
	@$(BIN)/npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null

# One lock for every Python and platform; hashes, and no address of any registry.
UV_FLAGS := --quiet --upgrade --universal --python-version 3.11 --no-config --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

clean: ## Removes everything that the other targets made
	rm -rf $(VENV) $(CHECKOV_VENV) $(MINISTACK_VENV) node_modules cdk.out* dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
