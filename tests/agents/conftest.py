"""The tasks that most tests of training and of traces use, and the steps of several processes."""

import json
from functools import cache

import pytest

from pixel_env.tasks import load_tasks
from tests.agents.process_groups import launched
from tests.paths import TESTS

CASES = {
    "all": {"rows": 8, "group": 4},
    "first": {"rows": 8, "group": 4, "pictures": "first"},
    "unequal": {"rows": 16, "group": 4, "learn": 4},
    "spread": {"rows": 8, "group": 8},
}
"""GRPO's cases, with the rows of all processes together; `tests/agents/grpo/two_processes.py` says what they are."""
ALONE = ("all", "first", "unequal")
"""Of those, what one process makes, and `SHARDED` what two make that share the model."""
SHARDED = ("all", "first")
ROWS = 4
"""Of the warm start."""


@pytest.fixture(scope="session")
def tasks():
    """The first eight training tasks of the tiny sample set."""
    return load_tasks("sample:vstar-tiny", split="train", count=8)


@pytest.fixture(scope="session")
def steps_of(tiny_checkpoint, tmp_path_factory):
    """The figures of the steps, by name, of so many processes that shard the model at a stage (0: each holds it)."""

    @cache
    def figures(processes, stage=0):
        folder = tmp_path_factory.mktemp("steps")
        names = ALONE if processes == 1 else SHARDED if stage else CASES
        cases = {name: CASES[name] | {"rows": CASES[name]["rows"] // processes} for name in names}
        arguments = [str(tiny_checkpoint), str(folder), str(stage), json.dumps(cases), str(ROWS // processes)]
        launched([str(TESTS / "agents" / "steps_of_processes.py"), *arguments], processes=processes)
        return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in (*names, "sft")}

    return figures
