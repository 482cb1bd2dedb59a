"""The configuration of `pixel-env synth`: what the data set is, and how it is made.

Knows fields, flags and the teacher that they name. Reads nothing and makes nothing.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.config.arguments import parse
from agents.engines.choice import EngineArguments
from agents.run_folder.shards import Shard, shard_named
from pixel_env.budgets import limits_from
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from synth.plans.framing import FREE, GRID, Framing
from synth.plans.mix import IMAGE_KINDS, VIDEO_KINDS, Mix
from synth.plans.plan import PlanKind
from synth.teachers.expert.config import ExpertConfig

TEMPLATE, SILENT = "template", "silent"
"""The names of the teachers that need no model."""


@dataclass(frozen=True)
class SynthConfig:
    """Traces for a warm start, from annotated seeds.

    This is what the data set is: kept with it, and another one is refused in the same folder.
    """

    seeds: str = field(
        default="embedded",
        metadata={"help": "annotated seeds: 'embedded', 'sample:NAME', or a file or folder, FORMAT: before it"},
    )
    split: Literal["train", "test"] = field(default="train", metadata={"help": "of the seeds: train or test"})
    seed_count: int | None = field(
        default=None, metadata={"help": "use so many seeds; None: all, or as many as needed"}
    )
    strict: bool = field(default=False, metadata={"help": "stop at rows that cannot be used; else they are left out"})
    count: int = field(default=7500, metadata={"help": "traces to keep"})
    media: tuple[str, ...] = field(
        default=("image=4400", "video=1100", "text=2000"), metadata={"help": "shares of the media, as NAME=NUMBER"}
    )
    image_kinds: tuple[str, ...] = field(
        default=tuple(f"{kind.value}={share}" for kind, share in IMAGE_KINDS.items()),
        metadata={"help": "shares of the kinds of trace on images, as NAME=NUMBER"},
    )
    video_kinds: tuple[str, ...] = field(
        default=tuple(f"{kind.value}={share}" for kind, share in VIDEO_KINDS.items()),
        metadata={"help": "shares of the kinds of trace on videos, as NAME=NUMBER"},
    )
    model: str = field(default="", metadata={"help": "the teacher's model, as its endpoint knows it"})
    temperature: float | None = field(default=None, metadata={"help": "of the teacher; None: the endpoint's own"})
    teacher_max_tokens: int = field(
        default=ExpertConfig.max_tokens, metadata={"help": "tokens of one of its replies, hidden reasoning included"}
    )
    teacher_max_pixels: int = field(
        default=ExpertConfig.max_pixels, metadata={"help": "pixels of a picture that it sees; a video's together"}
    )
    teacher_max_attempts: int = field(
        default=ExpertConfig.max_attempts, metadata={"help": "replies that it is asked for until one can be used"}
    )
    dialect: str = field(default="default", metadata={"help": "wire format of calls and answers: a dialect's name"})
    max_turns: int = field(default=4, metadata={"help": "turns of a trace, the answering one included"})
    max_images: int = field(default=16, metadata={"help": "pictures of a trace, the task's own included"})
    seed: int = field(default=0, metadata={"help": "of the plans, of the teacher and of the student"})
    student: str = field(
        default="", metadata={"help": "a model that is to learn: folder, hub id, embedded one's or endpoint's name"}
    )
    attempts: int = field(
        default=3, metadata={"help": "leave out seeds that the student answers right so often without looking; 0: none"}
    )
    text_from: Literal["teacher", "student"] = field(
        default="teacher",
        metadata={"help": "who answers questions of text alone; of the student, right samples are kept"},
    )
    text_samples: int = field(
        default=4, metadata={"help": "samples of the student for a question of text alone, until one is right"}
    )
    student_temperature: float = field(default=1.0, metadata={"help": "of the student's answers"})
    max_turn_tokens: int = field(default=512, metadata={"help": "sampled tokens of one of the student's turns"})
    dtype: str = field(default="auto", metadata={"help": "precision of the student: float32, bfloat16 or auto"})
    licence: str = field(default="", metadata={"help": "of the seeds, for the data card"})

    @property
    def limits(self) -> Limits:
        """How long an episode may be. Raises ConfigError."""
        return limits_from({"max_turns": self.max_turns, "max_images": self.max_images})

    @property
    def mix(self) -> Mix:
        """The shares that were asked for. Raises ConfigError."""
        media = shares_of(self.media, ("image", "video", "text"), "media")
        image_kinds = shares_of(self.image_kinds, [kind.value for kind in IMAGE_KINDS], "image_kinds")
        video_kinds = shares_of(self.video_kinds, [kind.value for kind in VIDEO_KINDS], "video_kinds")
        return Mix(
            **{name: media.get(name, 0) for name in ("image", "video", "text")},
            image_kinds={PlanKind(name): share for name, share in image_kinds.items()},
            video_kinds={PlanKind(name): share for name, share in video_kinds.items()},
        )


@dataclass(frozen=True)
class Making(EngineArguments):
    """How it is made: nothing here changes a byte of the data set. The engine is the student's."""

    teacher: str = field(
        default=TEMPLATE,
        metadata={"help": "'template', 'silent' (no words), or the address of an OpenAI-compatible endpoint, with /v1"},
    )
    out: str = field(default="runs/traces", metadata={"help": "folder of the data set; goes on if it was cut"})
    shard: str | None = field(
        default=None, metadata={"help": "make a part, 1/8 to 8/8; the command without it takes the parts over"}
    )
    workers: int | None = field(default=None, metadata={"help": "processes that verify; None: one for each core"})
    cache: str | None = field(default=None, metadata={"help": "folder of the teacher's replies; None: in --out"})
    concurrency: int = field(default=16, metadata={"help": "requests to the teacher under way at a time"})
    requests_per_minute: float | None = field(
        default=None,
        metadata={"help": "most requests a minute to the teacher, by each shard that runs; None: no limit"},
    )
    tokens_per_minute: float | None = field(
        default=None,
        metadata={"help": "most tokens a minute of the teacher, prompts included, by each shard; None: no limit"},
    )
    teacher_timeout_s: float = field(
        default=ExpertConfig.timeout_s, metadata={"help": "seconds that the teacher may be silent"}
    )
    teacher_retries: int = field(
        default=ExpertConfig.retries,
        metadata={"help": "repetitions of a request that found the teacher busy, broken or gone"},
    )
    max_batch: int = field(default=96, metadata={"help": "turns of the student that are generated at a time"})
    max_tokens: int | None = field(
        default=None, metadata={"help": "tokens of a conversation with the student, pictures included; vLLM wants it"}
    )
    price_in: float | None = field(default=None, metadata={"help": "price of a million prompt tokens, to be shown"})
    price_out: float | None = field(default=None, metadata={"help": "price of a million reply tokens, to be shown"})

    @property
    def part(self) -> Shard | None:
        """The part that is made, None for the whole. Raises ConfigError."""
        return None if self.shard is None else shard_named(self.shard)

    @property
    def folder(self) -> Path:
        """Where the files are: a shard's lie in a folder below `out`."""
        return Path(self.out) if self.part is None else self.part.folder_in(Path(self.out))

    @property
    def processes(self) -> int:
        """How many processes verify."""
        return self.workers or os.cpu_count() or 1


def framing_of(dialect: Dialect) -> Framing:
    """Which boxes the dialect's model can say."""
    return GRID if dialect.calls.exact_grid else FREE


def expert_config(config: SynthConfig, making: Making) -> ExpertConfig:
    """The teacher behind an endpoint. Raises ConfigError."""
    if not config.model:
        raise ConfigError("A teacher behind an endpoint needs its model's name: give --model, or --teacher template.")
    return ExpertConfig(
        model=config.model,
        base_url=making.teacher,
        cache=making.cache or str(Path(making.out) / "replies"),
        temperature=config.temperature,
        concurrency=making.concurrency,
        requests_per_minute=making.requests_per_minute,
        tokens_per_minute=making.tokens_per_minute,
        max_tokens=config.teacher_max_tokens,
        max_pixels=config.teacher_max_pixels,
        max_attempts=config.teacher_max_attempts,
        timeout_s=making.teacher_timeout_s,
        retries=making.teacher_retries,
        price_in=making.price_in,
        price_out=making.price_out,
    )


def shares_of(given: Sequence[str], names: Sequence[str], flag: str) -> Mapping[str, float]:
    """NAME=NUMBER as a mapping. Raises ConfigError."""
    shares: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name in shares:
            raise ConfigError(f"--{flag} has {name!r} twice; give each name one share.")
        try:
            shares[name] = float(number)
        except ValueError:
            shares[name] = -1.0
        if name not in names or not 0.0 <= shares[name] < float("inf"):
            raise ConfigError(f"--{flag} takes NAME=NUMBER with the names {', '.join(names)}; got {text!r}.")
    return shares


def parsed(argv: list[str]) -> tuple[SynthConfig, Making]:
    """Both parts, from the flags of `pixel-env synth`. Raises ConfigError."""
    config, making = parse(argv, (SynthConfig, Making), "synth")
    for name, number in (("count", config.count), ("workers", making.workers), ("text_samples", config.text_samples)):
        if number is not None and number < 1:
            raise ConfigError(f"--{name} is at least 1, got {number}.")
    if config.seed < 0:
        raise ConfigError(f"--seed is 0 or more, got {config.seed}.")
    if config.attempts < 0:
        raise ConfigError(f"--attempts is 0 or more, got {config.attempts}; 0 asks no student about seeds.")
    return config, making
