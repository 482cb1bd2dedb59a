"""The quick part of the tests: what one runs while working (`make quick`).

It holds the files that tell most for their time: the environment, grammar, graders, rewards, core loop, collator,
engines, evaluation and synthesis on scripts and tiny models. What it leaves out are training runs, servers, vLLM,
browsers, the demo and studies, and the long proofs about sample sets.

Depends on pytest; independent of the library.
"""

from pathlib import Path

import pytest

from tests.paths import ROOT, TESTS

QUICK = (
    "tests/pixel_env",
    "tests/rewards",
    "tests/agents/test_rollout.py",
    "tests/agents/chat/test_chat.py",
    "tests/agents/config",
    "tests/agents/engines/endpoint",
    "tests/agents/engines/test_engines.py",
    "tests/agents/grpo/test_held_out.py",
    "tests/agents/grpo/test_policy_weights.py",
    "tests/agents/grpo/test_replay_buffer.py",
    "tests/agents/metrics",
    "tests/agents/run_folder",
    "tests/agents/sft/test_collator.py",
    "tests/agents/sft/test_trace_masks.py",
    "tests/agents/traces",
    "tests/benchmarks/ask",
    "tests/benchmarks/evaluation",
    "tests/benchmarks/view/test_images.py",
    "tests/benchmarks/view/test_view.py",
    "tests/synth/plans",
    "tests/synth/verification",
    "tests/test_cli.py",
)
"""Files, and folders with all that is in them."""

LONG = (
    "tests/agents/config/test_training_command.py",
    "tests/benchmarks/evaluation/test_operation_ablation.py",
    "tests/benchmarks/evaluation/test_oracle.py",
    "tests/pixel_env/samples",
)
"""Of those, what takes too long for the quick part."""


def is_quick(path: Path) -> bool:
    """Whether a file of tests belongs to the quick part."""
    name = path.relative_to(ROOT)
    return _is_below(name, QUICK) and not _is_below(name, LONG)


def _is_below(name: Path, tops: tuple[str, ...]) -> bool:
    return any(name.is_relative_to(top) for top in tops)


def what_runs(config: pytest.Config) -> str | None:
    """One line that says that only a part runs, and which; None for a run of all."""
    if not config.getoption("quick"):
        return None
    files = list(TESTS.rglob("test_*.py"))
    count = sum(map(is_quick, files))
    return f"quick part: {count} of {len(files)} test files, listed in tests/quick.py; `make test` runs all"
