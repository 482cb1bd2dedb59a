"""The embedded sample sets: tasks generated on demand, with exact ground truth and evidence. `sample_set` returns one.

| set | in the style of | file |
|---|---|---|
| `vstar`, `vstar-tiny` | V* | `vstar.py` |
| `tallyqa` | TallyQA, complex questions | `tallyqa.py` |
| `infographics` | InfographicsVQA | `infographics.py` |
| `mvbench` | MVBench | `mvbench.py` |

They are in the *style* of the benchmarks; a score on a sample set is never a score on the benchmark. No photograph,
digit or table of a test split is in a training split. Depends on the generators of the sets; independent of episodes.
"""

from collections.abc import Sequence

from pixel_env.errors import UnknownNameError
from pixel_env.samples.infographics import INFOGRAPHICS
from pixel_env.samples.mvbench import MVBENCH
from pixel_env.samples.scenes import Split
from pixel_env.samples.sequence import DEFAULT_COUNT, SampleSet, SampleTasks
from pixel_env.samples.tallyqa import TALLYQA
from pixel_env.samples.vstar import (
    ALL_KINDS,
    CHOICE,
    COUNT,
    DEFAULT_KINDS,
    DIGIT_ON_CARD,
    HALF,
    LAYOUTS,
    LEFT_OF,
    VSTAR_SETS,
    Layout,
    digit_question,
    half_answer,
    half_question,
)
from pixel_env.task import TaskSet

__all__ = [
    "ALL_KINDS",
    "CHOICE",
    "COUNT",
    "DEFAULT_COUNT",
    "DEFAULT_KINDS",
    "DIGIT_ON_CARD",
    "HALF",
    "LAYOUTS",
    "LEFT_OF",
    "SAMPLE_SETS",
    "Layout",
    "SampleSet",
    "SampleTasks",
    "digit_question",
    "half_answer",
    "half_question",
    "sample_set",
]

SAMPLE_SETS: dict[str, SampleSet] = {sample.name: sample for sample in (*VSTAR_SETS, TALLYQA, INFOGRAPHICS, MVBENCH)}
"""By the name that follows `sample:`."""


def sample_set(
    name: str,
    *,
    split: Split = "test",
    count: int = DEFAULT_COUNT,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
) -> TaskSet:
    """The embedded set `name`: `count` tasks, whose kinds cycle through `kinds` (default: the set's own choice).

    Task i depends on (seed, split, i) alone, so a longer set starts with the shorter one. Raises UnknownNameError.
    """
    if name not in SAMPLE_SETS:
        raise UnknownNameError.among("sample set", name, SAMPLE_SETS)
    sample = SAMPLE_SETS[name]
    return sample.tasks(split, count, sample.default_kinds if kinds is None else kinds, seed)
