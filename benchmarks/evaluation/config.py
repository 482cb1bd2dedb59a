"""What `pixel-env eval` is asked for, checked as it is read.

Knows the flags and what they mean for an episode. Plays nothing and reads no task.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.engines.choice import EngineArguments
from agents.rollout import EpisodeSettings
from agents.run_folder.shards import shard_named
from benchmarks.evaluation.policies import NAMES, POLICIES
from pixel_env.budgets import budgets_for, limits_from
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import read_prompt_file, with_prompt
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.task import TaskSet

Precision = Literal["float32", "bfloat16", "float16", "auto"]
"""Of a model's weights; auto: as they are stored."""


@dataclass(frozen=True)
class EvalConfig(EngineArguments):
    """Measure a checkpoint on a task set under zoom policies."""

    model: str = field(
        default="tiny-zoom", metadata={"help": "a checkpoint: folder, hub id, or the name of an embedded one"}
    )
    tasks: str = field(
        default="sample:vstar-tiny", metadata={"help": "a sample set, a path or a hub id (docs/tasks.md)"}
    )
    split: Literal["train", "test"] = field(default="test", metadata={"help": "of an embedded set: train or test"})
    task_count: int | None = field(
        default=None, metadata={"help": "use so many of its tasks; None: all", "aliases": ("--limit",)}
    )
    strict: bool = field(default=False, metadata={"help": "stop at rows that cannot be used; else they are left out"})
    shard: str | None = field(
        default=None, metadata={"help": "play a part, 1/8 to 8/8; the command without it takes the parts over"}
    )
    shuffle_options: bool = field(
        default=True, metadata={"help": "show each question's options in an order drawn by the seed"}
    )
    output_dir: str = field(default="runs/eval", metadata={"help": "folder of the trajectories; goes on if it is cut"})
    policies: tuple[str, ...] = field(
        default=POLICIES, metadata={"help": "greedy policies; none to measure sampled rollouts only"}
    )
    ablate: bool = field(
        default=False, metadata={"help": "does looking help? play the model's ablations beside it, too"}
    )
    samples: int = field(default=0, metadata={"help": "sampled rollouts of each question, for avg@k, pass@k and RaPR"})
    temperature: float = field(default=1.0, metadata={"help": "of the sampled rollouts"})
    dialect: str = field(default="tiny", metadata={"help": "wire format of calls and answers: a dialect's name"})
    prompt_file: str | None = field(
        default=None, metadata={"help": "a text that follows the question, or holds {question}, for the dialect's own"}
    )
    max_turns: int = field(default=4, metadata={"help": "turns of an episode, the answering one included"})
    max_images: int = field(default=16, metadata={"help": "pictures of an episode, the task's own included"})
    max_tokens: int | None = field(
        default=None, metadata={"help": "tokens of a whole conversation, pictures included; None: no limit"}
    )
    max_turn_tokens: int = field(default=512, metadata={"help": "sampled tokens of one turn"})
    max_batch: int = field(default=96, metadata={"help": "turns that are generated at a time"})
    dtype: Precision = field(default="float32", metadata={"help": "precision of the weights"})
    seed: int = field(default=0, metadata={"help": "of the random places, of the options' orders and of sampling"})
    scorer: Literal["own", "released"] = field(
        default="own", metadata={"help": "released: the released code's judge beside our graders"}
    )
    lmms_samples: bool = field(default=False, metadata={"help": "write the samples as lmms-eval logs them, too"})

    def __post_init__(self) -> None:
        """Raises ConfigError or UnknownNameError for what makes no sense."""
        super().__post_init__()
        for name in self.policies:
            if name not in NAMES:
                raise UnknownNameError.among("policy", name, NAMES)
        for name, least in (("samples", 0), ("temperature", 0), ("seed", 0), ("max_turn_tokens", 1), ("max_batch", 1)):
            if not getattr(self, name) >= least:  # nor is what is no number
                raise ConfigError(f"--{name} is at least {least}, got {getattr(self, name)}")
        if not (self.policies or self.samples or self.ablate):
            raise ConfigError("without --policies and --samples there is nothing to play; give one of them")
        _ = self.limits

    @property
    def limits(self) -> Limits:
        """When an episode is cut. Raises ConfigError."""
        return limits_from({name: getattr(self, name) for name in ("max_turns", "max_images", "max_tokens")})

    @property
    def folder(self) -> Path:
        """Where the trajectories are: a shard's lie in a folder below `output_dir`."""
        whole = Path(self.output_dir)
        return whole if self.shard is None else shard_named(self.shard).folder_in(whole)

    @property
    def worded_dialect(self) -> Dialect:
        """The dialect, with the words of `prompt_file` if one is given."""
        dialect = dialect_named(self.dialect)
        return dialect if self.prompt_file is None else with_prompt(dialect, read_prompt_file(self.prompt_file))

    def settings(self, dialect: Dialect, task_set: TaskSet) -> EpisodeSettings:
        """How the episodes are played."""
        return EpisodeSettings(dialect, self.limits, budgets_for(None, task_set, dialect))
