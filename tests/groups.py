"""Which tests share a process, and in which order, where several processes run them (`make test`).

A file is not divided, so that what its fixtures build is built once. The members of a group share a process as well,
one after the other: they share what is expensive, or disturb each other. What takes long comes first, so that no
process is left with a long file at the end.

Depends on pytest and pytest-xdist; independent of the library.
"""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

GROUPS: dict[str, tuple[str, ...]] = {
    "process groups": (
        "tests/agents/grpo/test_two_processes.py",
        "tests/agents/sft/test_two_processes.py",
    ),
    "vllm": (
        "tests/agents/engines/served/test_vllm_server.py",
        "tests/agents/engines/test_vllm.py",
        "tests/agents/grpo/test_vllm.py",
        "tests/agents/grpo/test_exactness.py::test_vllm_and_trainer_agree_on_every_token",
        "tests/agents/engines/test_video_entry_vllm.py",
        "tests/agents/test_training_in_other_dialects.py",
        "tests/agents/engines/served/test_nccl_weights.py",
        "tests/contracts/test_vllm.py",
    ),
}
"""By the name of a group, how the ids of its tests begin: a file, or a test of a file."""

SHARED = {"vllm_of_tiny_zoom": "vllm", "steps_of": "process groups"}
"""Fixtures that are built once in all, and the group to which all tests with them belong."""

LONG = (
    "tests/benchmarks/demo/test_demo.py",
    "tests/agents/grpo/test_exactness.py",
    "tests/examples/test_measure_sft.py",
    "tests/neighbours/test_openai_agents.py",
    "tests/pixel_env/samples/test_samples.py",
    "tests/agents/grpo/test_trainer.py",
    "tests/pixel_env/samples/test_mvbench.py",
    "tests/benchmarks/evaluation/test_operation_ablation.py",
    "tests/synth/generation/test_generate.py",
    "tests/test_extending.py",
)
"""Files that take long by themselves, the longest first."""


def unit_of(test_id: str) -> str:
    """The group of a test, or its file: what one process runs without a break."""
    for group, members in GROUPS.items():
        if test_id.startswith(members):
            return group
    return test_id.partition("::")[0]


def rank_of(test_id: str) -> int:
    """Where the test's unit is among those that are begun first."""
    first = [*GROUPS, *LONG]
    unit = unit_of(test_id)
    return first.index(unit) if unit in first else len(first)


def long_ones_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests in the order in which several processes run them.

    Raises pytest.UsageError if a test uses a shared fixture and is not in its group.
    """
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            group = SHARED.get(fixture)
            if group is not None and unit_of(item.nodeid) != group:
                raise pytest.UsageError(
                    f"{item.nodeid} uses the fixture {fixture}, which is built once for the group {group!r}. "
                    "Add the test to the group in tests/groups.py."
                )
    return sorted(items, key=lambda item: rank_of(item.nodeid))


class Units(LoadScopeScheduling):
    """The scheduler of `--dist loadfile`, for which a group counts as one file."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
