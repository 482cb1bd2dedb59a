"""Plans and narrations: what a trace does, apart from what it says.

A plan is drawn from a task's evidence alone: its looks, the deliberate mistakes among them named. A teacher narrates
it, and `traced` writes both as a trace in a dialect. Knows nothing of how texts are found or traces are checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agents.traces import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.dialects import Dialect
from pixel_env.types import Answer, CropImage, SelectFrames, Task


class PlanKind(StrEnum):
    """The types of trace (arXiv 2505.15966, Table 2 by secondary sources)."""

    SINGLE_PASS = "single_pass"
    RECROP_ONCE = "recrop_once"
    RECROP_TWICE = "recrop_twice"
    FURTHER_ZOOM = "further_zoom"
    RESELECT = "reselect"
    TEXT_ONLY = "text_only"


@dataclass(frozen=True, slots=True)
class Look:
    """One operation of a plan; `mistake`: what is wrong with it on purpose."""

    action: CropImage | SelectFrames
    mistake: Mistake | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a trace does: look at the whole, then each of `looks`, then answer with the task's first reference."""

    task: Task
    kind: PlanKind
    looks: tuple[Look, ...] = ()

    @property
    def plan_id(self) -> str:
        """What no two plans of one data set share."""
        return f"{self.task.task_id}/{self.kind}"


@dataclass(frozen=True, slots=True)
class Narration:
    """What a trace says: `overview` before the first look, `remarks[i]` once look i has shown its pixels.

    The last remark stands before the answer. Without looks there is the overview alone.
    """

    overview: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a teacher gave no narration: `code` is what refusals are counted by."""

    code: str
    message: str


class Teacher(Protocol):
    """Narrates plans. `name` says who spoke, for the data card."""

    @property
    def name(self) -> str: ...

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Refusal]]:
        """(place in `plans`, narration or why there is none), once for each plan, in any order, as they come."""
        ...
