"""Which tests share a process, and in which order, where several processes run them (`make test`).

A file is never divided, so that what its fixtures build is built once. The files of a group share a process as well,
one after the other: they share what is expensive, or disturb each other. Groups and files that take long come first,
so that no process is left with a long one at the end.

Depends on pytest and pytest-xdist; independent of the library.
"""

from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadGroupScheduling

GROUPS: dict[str, tuple[str, ...]] = {
    "process groups": (
        "agents/grpo/test_two_processes.py",
        "agents/sft/test_two_processes.py",
    ),
    "vllm": (
        "agents/engines/served/test_vllm_server.py",
        "agents/engines/test_vllm.py",
        "agents/grpo/test_vllm.py",
        "agents/engines/test_video_entry_vllm.py",
        "agents/engines/served/test_nccl_weights.py",
        "contracts/test_vllm.py",
    ),
}
"""Files below tests/ by the name of their group; tests with a fixture of `SHARED` join its group wherever they are."""

SHARED = {"vllm_of_tiny_zoom": "vllm"}
"""The group of all tests that use this fixture."""

LONG = (
    "benchmarks/demo/test_demo.py",
    "pixel_env/samples/test_samples.py",
    "agents/grpo/test_exactness.py",
)
"""Files that take long by themselves, the longest first."""


def group_of(file: str, fixtures: Iterable[str] = ()) -> str | None:
    """The group of a test of `file`, which is named from tests/ on, or None for most."""
    shared = [SHARED[name] for name in fixtures if name in SHARED]
    listed = [group for group, files in GROUPS.items() if file in files]
    return next(iter([*shared, *listed]), None)


def arrange(items: list[pytest.Item]) -> None:
    """Marks the tests of groups and puts what takes long first; the order is otherwise kept."""
    starts = [*GROUPS, *LONG]
    ranks = []
    for item in items:
        file = item.nodeid.partition("::")[0].removeprefix("tests/")
        group = group_of(file, getattr(item, "fixturenames", ()))
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
        unit = group or file
        ranks.append(starts.index(unit) if unit in starts else len(starts))
    items[:] = [item for _, item in sorted(zip(ranks, items, strict=True), key=lambda ranked: ranked[0])]


class GroupsAndFiles(LoadGroupScheduling):
    """The scheduler of `--dist loadgroup`, for which a file without a group is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).partition("::")[0]
