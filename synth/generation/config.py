"""The configuration of `pixel-env synth`: what the data set is, and how it is generated.

Depends on flags and on the configurations of the teacher and the mix; independent of files.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.config.arguments import parse
from agents.config.names import DialectName
from agents.engines.choice import EngineArguments
from agents.run_folder.shards import Shard, shard_named
from pixel_env.budgets import limits_from
from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NotNegative, Positive
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
    """Generate demonstrations (traces) for a warm start from annotated seed data, and verify them.

    This part is recorded with the data set; another one is refused in the same folder.
    """

    seeds: str = field(
        default="embedded",
        metadata={"help": "annotated seed data: 'embedded', 'sample:NAME', or a file or folder, also as FORMAT:PATH"},
    )
    split: Literal["train", "test"] = field(default="train", metadata={"help": "split of the seed data"})
    seed_count: AtLeastOne | None = field(
        default=None,
        metadata={"help": "number of tasks from the seed data (default: all, or as many as needed)"},
    )
    strict: bool = field(
        default=False, metadata={"help": "stop at rows that cannot be used, instead of leaving them out"}
    )
    count: AtLeastOne = field(default=7500, metadata={"help": "number of traces to generate"})
    media: tuple[str, ...] = field(
        default=("image=4400", "video=1100", "text=2000"), metadata={"help": "shares of the media, as NAME=NUMBER"}
    )
    image_kinds: tuple[str, ...] = field(
        default=tuple(f"{kind.value}={share}" for kind, share in IMAGE_KINDS.items()),
        metadata={"help": "shares of the kinds of traces about images, as NAME=NUMBER"},
    )
    video_kinds: tuple[str, ...] = field(
        default=tuple(f"{kind.value}={share}" for kind, share in VIDEO_KINDS.items()),
        metadata={"help": "shares of the kinds of traces about videos, as NAME=NUMBER"},
    )
    model: str = field(default="", metadata={"help": "the teacher's model, as its endpoint knows it"})
    temperature: NotNegative | None = field(
        default=None, metadata={"help": "temperature of the teacher (default: that of the endpoint)"}
    )
    teacher_max_tokens: AtLeastOne = field(
        default=ExpertConfig.max_tokens,
        metadata={"help": "tokens of a reply of the teacher, including hidden reasoning"},
    )
    teacher_max_pixels: AtLeastOne = field(
        default=ExpertConfig.max_pixels,
        metadata={"help": "pixels of an image that is sent to the teacher; of a video, of all its frames together"},
    )
    teacher_max_attempts: AtLeastOne = field(
        default=ExpertConfig.max_attempts, metadata={"help": "replies that are requested until one can be used"}
    )
    judge_model: str = field(
        default="", metadata={"help": "the model that judges verified traces, as the endpoint of --judge knows it"}
    )
    dialect: DialectName = field(
        default="default",
        metadata={"help": "format of calls and answers: a dialect with variants after colons, or a YAML file"},
    )
    max_turns: AtLeastOne = field(
        default=4, metadata={"help": "turns of a trace, including the one that answers: 4 allow three operations"}
    )
    max_images: AtLeastOne = field(
        default=16, metadata={"help": "images of a trace, including those of the task; a video counts as one"}
    )
    seed: AtLeastZero = field(default=0, metadata={"help": "seed of the plans, the teacher and the student"})
    student: str = field(
        default="",
        metadata={"help": "the model to be trained: a folder, a hub id, an embedded one, or its name at an endpoint"},
    )
    attempts: AtLeastZero = field(
        default=3,
        metadata={
            "help": "drop tasks of the seed data that the student answers correctly in this many attempts without an "
            "operation; 0: drop none"
        },
    )
    text_from: Literal["teacher", "student"] = field(
        default="teacher",
        metadata={"help": "who answers questions without images; of the student, correct samples are kept"},
    )
    text_samples: AtLeastOne = field(
        default=4, metadata={"help": "samples of the student for a question without images, until one is correct"}
    )
    student_temperature: NotNegative = field(default=1.0, metadata={"help": "temperature of the student"})
    max_turn_tokens: AtLeastOne = field(default=512, metadata={"help": "sampled tokens of one turn of the student"})
    dtype: str = field(default="auto", metadata={"help": "precision of the student: float32, bfloat16 or auto"})
    licence: str = field(default="", metadata={"help": "licence of the seed data, for the data card"})

    @property
    def limits(self) -> Limits:
        """The limits of an episode. Raises ConfigError."""
        return limits_from({"max_turns": self.max_turns, "max_images": self.max_images})

    @property
    def mix(self) -> Mix:
        """The requested shares. Raises ConfigError."""
        media = shares_of(self.media, ("image", "video", "text"), "media")
        image_kinds = shares_of(self.image_kinds, [kind.value for kind in IMAGE_KINDS], "image_kinds")
        video_kinds = shares_of(self.video_kinds, [kind.value for kind in VIDEO_KINDS], "video_kinds")
        return Mix(
            **{name: media.get(name, 0) for name in ("image", "video", "text")},
            image_kinds={PlanKind(name): share for name, share in image_kinds.items()},
            video_kinds={PlanKind(name): share for name, share in video_kinds.items()},
        )


@dataclass(frozen=True)
class GenerationOptions(EngineArguments):
    """How the data set is generated; nothing here changes a byte of it. The engine is the student's."""

    teacher: str = field(
        default=TEMPLATE,
        metadata={"help": "'template', 'silent' (no text), or the address of an OpenAI-compatible endpoint, with /v1"},
    )
    out: str = field(default="runs/traces", metadata={"help": "output folder; an interrupted run resumes from it"})
    shard: str | None = field(
        default=None, metadata={"help": "generate one shard (1/8 ... 8/8); run without --shard to merge the shards"}
    )
    workers: AtLeastOne | None = field(
        default=None, metadata={"help": "processes that verify (default: one for each core)"}
    )
    cache: str | None = field(
        default=None, metadata={"help": "folder for the replies of the teacher (default: in --output_dir)"}
    )
    concurrency: AtLeastOne = field(default=16, metadata={"help": "concurrent requests to the teacher"})
    requests_per_minute: Positive | None = field(
        default=None, metadata={"help": "requests to the teacher per minute, for each shard (default: no limit)"}
    )
    tokens_per_minute: Positive | None = field(
        default=None,
        metadata={"help": "tokens of the teacher per minute, prompts included, for each shard (default: no limit)"},
    )
    teacher_timeout_s: Positive = field(
        default=ExpertConfig.timeout_s, metadata={"help": "seconds without a reply until a request is given up"}
    )
    teacher_retries: AtLeastZero = field(
        default=ExpertConfig.retries, metadata={"help": "retries of a request that failed"}
    )
    max_batch: AtLeastOne = field(default=96, metadata={"help": "turns of the student that are generated at a time"})
    max_tokens: AtLeastOne | None = field(
        default=None, metadata={"help": "tokens of a conversation with the student, including images; vLLM requires it"}
    )
    judge: str | None = field(
        default=None,
        metadata={
            "help": "base URL, with /v1, of an OpenAI-compatible endpoint whose model reads each verified trace beside "
            "its images and drops what is untrue; its key is read from JUDGE_API_KEY or OPENAI_API_KEY"
        },
    )
    judge_concurrency: AtLeastOne = field(default=16, metadata={"help": "traces that are judged at a time"})
    price_in: NotNegative | None = field(
        default=None, metadata={"help": "price of a million prompt tokens, for the printed costs"}
    )
    price_out: NotNegative | None = field(
        default=None, metadata={"help": "price of a million reply tokens, for the printed costs"}
    )

    @property
    def part(self) -> Shard | None:
        """The shard to generate, None for the whole data set. Raises ConfigError."""
        return None if self.shard is None else shard_named(self.shard)

    @property
    def folder(self) -> Path:
        """The folder of the files; that of a shard is below `out`."""
        return Path(self.out) if self.part is None else self.part.folder_in(Path(self.out))

    @property
    def processes(self) -> int:
        """The number of processes that verify."""
        return self.workers or os.cpu_count() or 1


def framing_of(dialect: Dialect) -> Framing:
    """The framing for the boxes that the dialect can write."""
    return GRID if dialect.calls.exact_grid else FREE


def expert_config(config: SynthConfig, options: GenerationOptions) -> ExpertConfig:
    """The teacher behind an endpoint. Raises ConfigError."""
    if not config.model:
        raise ConfigError(
            "A teacher behind an endpoint needs the name of its model: give --model, or --teacher template."
        )
    return ExpertConfig(
        model=config.model,
        base_url=options.teacher,
        cache=options.cache or str(Path(options.out) / "replies"),
        temperature=config.temperature,
        concurrency=options.concurrency,
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
        max_tokens=config.teacher_max_tokens,
        max_pixels=config.teacher_max_pixels,
        max_attempts=config.teacher_max_attempts,
        timeout_s=options.teacher_timeout_s,
        retries=options.teacher_retries,
        price_in=options.price_in,
        price_out=options.price_out,
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


def parsed(argv: list[str]) -> tuple[SynthConfig, GenerationOptions]:
    """Both parts of the configuration, from the flags of `pixel-env synth`. Raises ConfigError."""
    return parse(argv, (SynthConfig, GenerationOptions), "synth")
