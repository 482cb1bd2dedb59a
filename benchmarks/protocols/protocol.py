"""A protocol: how an evaluation is played, as a value, with where each part of it is written.

Depends on limits, sampling and pixel budgets; independent of dialects' rows, task sets, models and files.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agents.engines.protocol import NO_TRUNCATION, Truncation
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.views import ViewBudgets

TEXTS = ("system", "question", "observation", "failure")
"""The texts of a project's own that a protocol may know by their SHA-256."""


@dataclass(frozen=True, slots=True)
class Retries:
    """An episode that ends without an answer is played again, up to `count` times; the last one counts.

    `temperature`: of the repeated episodes; None: that of the first one.
    """

    count: int
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or (self.temperature is not None and not 0.0 <= self.temperature < math.inf):
            raise ConfigError(f"Retries have count >= 1 and a temperature >= 0 (or none), got {self}")


@dataclass(frozen=True, slots=True)
class Published:
    """A number of others: `value` in percent, the mean of `k` runs (None: not said), and where it is written.

    `checkpoint`: of which model, where the protocol plays several; `is_rerun`: others than the model's authors
    measured it.
    """

    benchmark: str
    value: float
    k: int | None
    where: str
    checkpoint: str = ""
    is_rerun: bool = False


@dataclass(frozen=True, slots=True)
class PromptText:
    """A text of the project's own, which is not ours to distribute: its SHA-256, its file and how to take it out.

    The hash is of the UTF-8 bytes without a line break at the end of the file. `placed`: where a question's text stands
    in the prompt, with the fields {question}, {options}, {images} and {text}; `slots`: what of the text is filled, each
    with the field that fills it.
    """

    sha256: str
    file: str
    extract: str
    placed: str = "{question}{text}"
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation is played.

    Args:
        name: By which `--protocol` takes it.
        about: What it is, in one line.
        dialect: The name of a dialect, as `--dialect` takes it; None: the model's own.
        variant: A variant of that dialect, such as "notool"; "" for none.
        limits: Turns, images and tokens of an episode.
        max_turn_tokens: Sampled tokens of one turn.
        temperature: Of every turn; 0 is greedy.
        truncation: Which tokens can be sampled.
        samples: k: rollouts of each question, whose mean is the score (avg@k).
        retries: What happens to an episode without an answer; None: nothing.
        budgets: Pixels of each kind of view; None: those of the dialect.
        scorer: Which of our scorers grades: "own", or "released" (the released code's judge, in addition).
        judge: What the project grades with, in words.
        options_order: How the project orders options, where it is not as they come; ours are shuffled by the seed.
        texts: The project's own texts, by the names of TEXTS.
        published: Numbers of others.
        unpublished: What is known where there is no number.
        deviations: What of the published evaluation is played otherwise.
        repository: Where its code is public (owner/name on GitHub), read at `commit`; "" for our own.
        sources: By field, where it is written: "file:line" of that commit, or "owner/name@commit file:line".
    """

    name: str
    about: str
    limits: Limits
    dialect: str | None = None
    variant: str = ""
    max_turn_tokens: int = 512
    temperature: float = 0.0
    truncation: Truncation = NO_TRUNCATION
    samples: int = 1
    retries: Retries | None = None
    budgets: ViewBudgets | None = None
    scorer: Literal["own", "released"] = "own"
    judge: str = ""
    options_order: str = ""
    texts: Mapping[str, PromptText] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    unpublished: str = ""
    deviations: tuple[str, ...] = ()
    repository: str = ""
    commit: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.samples < 1 or self.max_turn_tokens < 1 or not 0.0 <= self.temperature < math.inf:
            raise ConfigError(
                f"the protocol {self.name!r} has samples {self.samples}, max_turn_tokens {self.max_turn_tokens} and "
                f"temperature {self.temperature}; wanted: at least 1, at least 1 and at least 0, not infinite"
            )
        if unknown := [name for name in self.texts if name not in TEXTS]:
            raise ConfigError(f"the protocol {self.name!r} has texts {unknown}; wanted: {', '.join(TEXTS)}")
        if self.scorer not in ("own", "released"):
            raise ConfigError(f"the protocol {self.name!r} has the scorer {self.scorer!r}; wanted: own or released")

    @property
    def is_greedy(self) -> bool:
        """Whether each question is played once and greedily: k rollouts at temperature 0 would be equal."""
        return self.temperature == 0.0 and self.samples == 1

    def source(self, name: str) -> str:
        """Where the field `name` is written, with repository and commit; "" for what is ours."""
        written = self.sources.get(name, "")
        if not written or "@" in written.split(" ")[0] or not self.repository:
            return written
        return f"{self.repository}@{self.commit[:7]} {written}"
