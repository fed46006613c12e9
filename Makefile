# One entry for people and CI. `make` alone lists the targets.
#
#   PYTHON=python3.12   builds .venv with that interpreter (default: the first of 3.11 to 3.14 found)
#   ART=1               installs the packages of the built-in neural networks too (docs/backends/art.md)
#   BUS=1               installs the packages of the message bus too (docs/bus.md)
#   CPU=1               installs the smaller packages that draw with models on a processor (docs/backends/embedded.md)
#   GPU=1               installs the packages of the engine that draws with models here (docs/backends/embedded.md)
#   MCP=1               installs what assistants speak too (docs/mcp.md)
#   ARGS="..."          goes on to the program: make test ARGS="-k queue", make run ARGS="doctor"
#
# The tests of the studio's page need a Chromium (apt-get install chromium-headless-shell libatomic1); without one they
# are skipped. What checks the studio's code needs node and npm; without them `make check` says so and leaves it out.

PYTHON ?=
ART ?=
BUS ?=
CPU ?=
GPU ?=
LOCAL_PYTHON ?= .venv-local/bin/python
MCP ?=
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
UV_COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
	--no-emit-find-links --custom-compile-command "make lock"

# Cheap when nothing changed: scripts/setup_venv.py compares the requirement files with what it installed last.
EXTRAS = $(if $(BUS),requirements-bus.txt) $(if $(CPU),requirements-cpu.txt) $(if $(GPU),requirements-gpu.txt) $(if $(MCP),requirements-mcp.txt)
SETUP = python=$$(sh scripts/find_python $(PYTHON)) && "$$python" scripts/setup_venv.py $(if $(PYTHON),--exact) $(VENV)

# Each start of Easel in the tests would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-studio screenshots check format bench test-all test-kill image-check test-fresh test-real test-bus test-mcp test-local lock setup setup-run setup-dev clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: setup-run  ## set up what is missing and start Easel; ART=1 adds networks that enlarge and restyle, BUS=1 the message bus, CPU=1 or GPU=1 models that draw, MCP=1 assistants
	@exec $(PY) main.py $(ARGS)

test: setup-dev  ## set up what is missing and run the tests on all cores
	@exec $(PY) -m pytest -n auto --dist loadgroup $(ARGS)

test-studio: setup-dev  ## the studio's tests, each at the width of a desk, a tablet and a phone
	@STUDIO_WIDTHS=all exec $(PY) -m pytest -n auto --dist loadgroup tests/studio $(ARGS)

check: setup-dev  ## format, lint, types, one-way imports, lengths, grades of engines, keys in files, licences, known holes
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	PYTHONPATH=packages/easel_sketch $(VENV)/bin/lint-imports --no-logo
	$(PY) scripts/check_lengths.py
	$(PY) -m scripts.check_words
	$(PY) scripts/check_texts.py
	$(PY) scripts/check_studio_texts.py
	$(PY) scripts/check_names.py
	$(PY) scripts/check_quality.py
	$(PY) scripts/check_secrets.py
	$(PY) scripts/check_licences.py
	$(PY) scripts/check_audit.py
	$(PY) scripts/check_studio.py

screenshots: setup-dev  ## draw each kind of Discord message as on a phone, 390 pixels wide, into build/messages/ (Chromium)
	@PYTHONPATH=packages/easel_sketch exec $(PY) -m scripts.draw_messages $(ARGS)

format: setup-dev  ## let ruff and Biome format and sort what they can
	$(PY) -m ruff check --select I --fix .
	$(PY) -m ruff format .
	$(PY) scripts/check_studio.py --fix

bench: setup-dev  ## measure, print the figures and the table of goals, write bench/latest.json; ARGS=goals measures only what that table needs
	@exec $(PY) -m bench $(ARGS)

test-all: setup-dev  ## run the tests on every supported Python found on this machine
	@exec $(PY) scripts/test_all.py $(ARGS)

test-kill: setup-dev  ## kill -9 while 1,000 pictures are asked for (KILL_REQUESTS) and 100 backups written and put back (BACKUP_KILLS), printing a seed; KILL_SEED=... repeats it
	@KILL_REQUESTS=$${KILL_REQUESTS:-1000} BACKUP_KILLS=$${BACKUP_KILLS:-100} MCP_TASKS=$${MCP_TASKS:-1000} exec $(PY) -m pytest -s tests/test_kill.py tests/assistants/test_killed_tasks.py tests/test_kill_loop.py tests/test_kill_discord.py $(ARGS)

image-check:  ## as root: check the files of deployment by their own tools, build the image and draw in it (buildah, mmdebstrap)
	@test -x .venv-deploy/bin/hadolint || { python3 -m venv .venv-deploy && .venv-deploy/bin/pip install -q -r requirements-deploy.in; }
	@scripts/check_deploy .venv-deploy
	@scripts/check_image

test-fresh:  ## as root: `make run` and `make test` in a fresh Debian 12 and 13 (mmdebstrap); ARGS="trixie" takes one
	@exec python3 scripts/test_fresh.py $(ARGS)

test-real: setup-dev  ## run the extra tests against real gradio apps, OpenAI's client and ComfyUI's API proxy (installs them, 1 GB) and the ComfyUI in COMFYUI_DIR
	@EASEL_TEST_REAL=1 exec $(PY) -m pytest tests/real $(ARGS)

test-bus:  ## the tests of the message bus against a real NATS server (installs it)
	@$(MAKE) --no-print-directory setup-dev BUS=1
	@BUS_REQUESTS=$${BUS_REQUESTS:-1000} exec $(PY) -m pytest -n auto tests/bus $(ARGS)

test-local:  ## the engine inside with the real libraries, on tiny models (installs them in .venv-local, some GB; or LOCAL_PYTHON=...)
	@test -x $(LOCAL_PYTHON) || { python=$$(sh scripts/find_python $(PYTHON)) && \
		"$$python" scripts/setup_venv.py .venv-local requirements.txt requirements-dev.txt requirements-gpu.txt requirements-cpu.txt; }
	@EASEL_TEST_LOCAL=1 exec $(LOCAL_PYTHON) -m pytest tests/local $(ARGS)

test-mcp:  ## the tests of the door for assistants with the official client (installs it)
	@$(MAKE) --no-print-directory setup-dev MCP=1
	@exec $(PY) -m pytest -n auto tests/assistants $(ARGS)

lock: setup-dev  ## pin requirements*.in anew; ARGS="--upgrade" takes the newest versions
	$(UV_COMPILE) $(ARGS) requirements.in -o requirements.txt > /dev/null
	$(UV_COMPILE) $(ARGS) -c requirements.txt requirements-dev.in -o requirements-dev.txt > /dev/null
	$(UV_COMPILE) $(ARGS) -c requirements.txt -c requirements-dev.txt requirements-art.in -o requirements-art.txt > /dev/null
	$(UV_COMPILE) $(ARGS) -c requirements.txt -c requirements-dev.txt requirements-bus.in -o requirements-bus.txt > /dev/null
	$(UV_COMPILE) $(ARGS) -c requirements.txt -c requirements-dev.txt requirements-cpu.in -o requirements-cpu.txt > /dev/null
	$(subst --generate-hashes,,$(UV_COMPILE)) $(ARGS) -c requirements.txt -c requirements-dev.txt requirements-gpu.in -o requirements-gpu.txt > /dev/null
	$(UV_COMPILE) $(ARGS) -c requirements.txt -c requirements-dev.txt requirements-mcp.in -o requirements-mcp.txt > /dev/null

setup:
	@$(SETUP) requirements.txt

# Asks once whether the extra packages are wanted, and never where nobody is at the terminal.
setup-run:
	@$(SETUP) requirements.txt $(EXTRAS) $(if $(ART),requirements-art.txt,--offer requirements-art.txt)

setup-dev:
	@$(SETUP) requirements.txt requirements-dev.txt $(EXTRAS) $(if $(ART),requirements-art.txt)

clean:  ## remove environments and caches; data/ and .env stay
	rm -rf .venv .venv-* node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
