"""The flags of `pixel-env eval`, checked as they are read.

Depends on names and limits; independent of files, tasks and models: `plan.py` settles what the flags stand for.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from agents.checkpoints.names import CHECKPOINTS
from agents.config.names import DialectName, GraderName
from agents.engines.address import checked_address
from agents.engines.choice import EngineArguments
from agents.engines.registry import ENGINES
from agents.run_folder.shards import shard_named
from benchmarks.evaluation.judge.settings import JudgeSettings
from benchmarks.evaluation.policies import NAMES, POLICIES
from benchmarks.protocols.table import PROTOCOLS, protocols_named
from pixel_env.budgets import limits_from
from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NameOf, NotNegative
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError, UnknownNameError, shortened
from pixel_env.grading import GRADERS
from pixel_env.samples import SAMPLE_SETS

Precision = Literal["float32", "bfloat16", "float16", "auto"]
"""Precision of a model's weights; auto: as they are stored."""

ProtocolNames = Annotated[str, NameOf(protocols_named)]


def known_names() -> str:
    """The names that the flags of `pixel-env eval` take, for its help."""
    lines = {
        "policies": NAMES,
        "protocols": PROTOCOLS,
        "dialects": DIALECTS,
        "engines": ENGINES,
        "embedded models": CHECKPOINTS,
        "graders": GRADERS,
        "sample sets": [f"sample:{name}" for name in SAMPLE_SETS],
    }
    return "\n".join(f"{title}: {', '.join(names)}" for title, names in lines.items())


@dataclass(frozen=True)
class EvalConfig(EngineArguments):
    """Measure a checkpoint on a task set under zoom policies."""

    model: str = field(
        default="tiny-zoom", metadata={"help": "checkpoint: a folder, a hub id or the name of an embedded one"}
    )
    tasks: str = field(
        default="sample:vstar-tiny", metadata={"help": "task set: a sample set, a path or a hub id (docs/tasks.md)"}
    )
    split: Literal["train", "test"] = field(default="test", metadata={"help": "split of a sample set"})
    task_count: AtLeastOne | None = field(
        default=None, metadata={"help": "use only so many of its tasks; may be raised on a finished run"}
    )
    strict: bool = field(
        default=False, metadata={"help": "stop at rows that cannot be used, instead of leaving them out"}
    )
    follow_links: bool = field(
        default=False, metadata={"help": "links in the folder of the task set may lead out of it (docs/tasks.md)"}
    )
    media_root: str | None = field(
        default=None, metadata={"help": "folder in which rows of the task set name images, besides its own folder"}
    )
    grader: GraderName | None = field(
        default=None,
        metadata={
            "help": f"grade every answer by this grader instead of the task's own: {', '.join(GRADERS)}, or your own "
            "as 'module:function' (docs/extending.md)"
        },
    )
    shard: str | None = field(
        default=None,
        metadata={"help": "evaluate one shard (1/8 ... 8/8); run without --shard to merge the shards"},
    )
    shuffle_options: bool = field(
        default=True, metadata={"help": "show the options of each question in an order drawn with the seed"}
    )
    output_dir: str = field(default="runs/eval", metadata={"help": "output folder; an interrupted run resumes from it"})
    policies: tuple[str, ...] = field(
        default=POLICIES, metadata={"help": "greedy policies; none of them to evaluate sampled rollouts only"}
    )
    ablate: bool = field(default=False, metadata={"help": "also evaluate with blank, random and withheld crops"})
    samples: AtLeastZero = field(
        default=0, metadata={"help": "sampled rollouts of each question, for avg@k, pass@k and RaPR"}
    )
    temperature: NotNegative = field(default=1.0, metadata={"help": "temperature of the sampled rollouts"})
    dialect: DialectName | None = field(
        default=None,
        metadata={
            "help": "format of calls and answers: the name of a dialect, with variants after colons (default: the "
            "model's own, as recorded with it or by its model_type)"
        },
    )
    prompt_file: str | None = field(
        default=None,
        metadata={"help": "text file for the prompt: it follows the question, or contains {question} itself"},
    )
    system_file: str | None = field(
        default=None,
        metadata={"help": "text file for the system message, instead of the dialect's own and its tools' description"},
    )
    protocol: ProtocolNames | None = field(
        default=None,
        metadata={
            "help": "play as published, or as our 'common' or 'notool': dialect, limits, sampling and pixels are the "
            "protocol's; several names with commas between them are played in turn and compared (docs/protocols.md)"
        },
    )
    max_turns: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "turns of an episode, including the one that answers (default: as recorded with the model, else 4, "
            "which allow three operations)"
        },
    )
    max_images: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "images of an episode, including those of the task; a video counts as one (default: as recorded "
            "with the model, else 16)"
        },
    )
    max_tokens: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "tokens of the whole conversation, including images (default: as recorded with the model, else "
            "its positions)"
        },
    )
    max_turn_tokens: AtLeastOne = field(default=512, metadata={"help": "sampled tokens of one turn"})
    max_batch: AtLeastOne = field(default=96, metadata={"help": "turns that are generated at a time"})
    dtype: Precision = field(default="float32", metadata={"help": "precision of the weights"})
    seed: AtLeastZero = field(
        default=0, metadata={"help": "seed of random crops, of the order of the options and of sampling"}
    )
    scorer: Literal["own", "released"] = field(
        default="own", metadata={"help": "released: also grade with math-verify, as the released code does"}
    )
    judge: str | None = field(
        default=None,
        metadata={
            "help": "base URL, with /v1, of an OpenAI-compatible endpoint whose model judges the open answers beside "
            "the rule; its key is read from JUDGE_API_KEY, else from OPENAI_API_KEY"
        },
    )
    judge_model: str | None = field(default=None, metadata={"help": "the judge's name, as its endpoint knows it"})
    judge_concurrency: AtLeastOne = field(default=16, metadata={"help": "answers that are judged at a time"})
    lmms_samples: bool = field(default=False, metadata={"help": "also write the samples as lmms-eval logs them"})

    def __post_init__(self) -> None:
        """Raises ConfigError or UnknownNameError for values that are not allowed."""
        super().__post_init__()
        for name in self.policies:
            if name not in NAMES:
                raise UnknownNameError.among("policy", name, NAMES)
        for name, least in (("samples", 0), ("temperature", 0), ("seed", 0), ("max_turn_tokens", 1), ("max_batch", 1)):
            if not getattr(self, name) >= least:  # also refuses NaN
                raise ConfigError(f"--{name} must be at least {least}, got {getattr(self, name)}")
        self._check_judge()
        if not (self.policies or self.samples or self.ablate):
            raise ConfigError("without --policies and --samples there is nothing to evaluate. Give one of them.")
        for name in ("max_turns", "max_images", "max_tokens"):
            if getattr(self, name) is not None:
                limits_from({name: getattr(self, name)})

    def _check_judge(self) -> None:
        if self.judge is not None:
            checked_address(self.judge, "--judge")
            if not self.judge_model:
                raise ConfigError(
                    f"--judge {self.judge} needs the name of the model that judges. Give --judge_model, as the "
                    "endpoint knows it."
                )
        elif self.judge_model is not None:
            raise ConfigError(
                f"--judge_model is {shortened(self.judge_model)}, and no endpoint is given for it. Give --judge, the "
                "base URL of its endpoint, or leave --judge_model out."
            )

    @property
    def judge_settings(self) -> JudgeSettings | None:
        """The judge, if one is asked."""
        if self.judge is None or self.judge_model is None:
            return None
        return JudgeSettings(self.judge, self.judge_model, self.judge_concurrency)

    @property
    def folder(self) -> Path:
        """The folder of the trajectories; a shard has its own below `output_dir`."""
        whole = Path(self.output_dir)
        return whole if self.shard is None else shard_named(self.shard).folder_in(whole)
