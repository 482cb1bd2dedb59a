"""The warm start: TRL's SFTTrainer on traces, and the command `pixel-env sft`.

Everything about training is TRL's; the rows are ours (`collator.py`). Knows nothing of how traces are made: they are a
file, a sequence, or what a 'module:function' returns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import ModelConfig, SFTConfig, SFTTrainer, get_peft_config

from agents.chat import Chat
from agents.collator import TraceCollator
from agents.grpo_config import EpisodeArguments
from agents.models import model_folder
from agents.recipes import parsed
from agents.run_folder import checkpoint_to_resume, keep_configuration
from agents.traces import Trace, read_traces
from agents.video_positions import place_videos
from pixel_env.dialects import Dialect, dialect_named
from pixel_env.errors import ConfigError
from pixel_env.own_function import own_function
from pixel_env.tasks import load_tasks
from pixel_env.types import TaskSet

TraceMaker = Callable[[TaskSet, Dialect, int], Sequence[Trace]]
"""Task set, dialect and seed -> traces: what `traces='module:function'` names."""


@dataclass
class PixelSFTConfig(EpisodeArguments, SFTConfig):
    """TRL's SFTConfig and how the traces are played."""

    max_length: int | None = field(
        default=None, metadata={"help": "Not used: a trace is never cut, least of all inside of a picture."}
    )

    bf16: bool | None = field(
        default=None, metadata={"help": "Mixed precision (default: on with a GPU; on a CPU it is slow and inexact)."}
    )

    def __post_init__(self) -> None:
        if self.bf16 is None and not torch.cuda.is_available():
            self.bf16 = False
        super().__post_init__()
        self.read_prompt()
        self.remove_unused_columns = False  # the rows' one column is an index, which no forward pass knows


class PixelSFTTrainer(SFTTrainer):
    """`SFTTrainer` whose rows are traces. The loss is the mean over the trained tokens of a batch."""

    def __init__(
        self,
        model: Any,
        traces: Sequence[Trace],
        args: PixelSFTConfig,
        eval_traces: Sequence[Trace] | None = None,
        processing_class: Any = None,
        dialect: Dialect | None = None,
        task_set: TaskSet | None = None,
        callbacks: list[TrainerCallback] | None = None,
        peft_config: Any = None,
    ) -> None:
        """`task_set` gives the pixel budgets that the traces are played with; without one the dialect's are used."""
        dialect = dialect or dialect_named(args.dialect)
        args.dataset_kwargs = {**(args.dataset_kwargs or {}), "skip_prepare_dataset": True}
        super().__init__(
            model=model_folder(model) if isinstance(model, str) else model,
            args=args,
            data_collator=_not_yet,
            train_dataset=_rows(traces),
            eval_dataset=None if eval_traces is None else _rows(eval_traces),
            processing_class=processing_class,
            callbacks=callbacks,
            peft_config=peft_config,
        )
        place_videos(self.model)
        self.chat = Chat(self.processing_class, dialect)
        settings = args.settings(dialect, task_set)
        self.data_collator = TraceCollator(self.chat, settings, traces)
        self._eval_collator = None if eval_traces is None else TraceCollator(self.chat, settings, eval_traces)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """The base's, with the collator of the held-out traces."""
        training_collator = self.data_collator
        self.data_collator = self._eval_collator or training_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = training_collator

    def _send_telemetry(self) -> None:
        """Nothing is reported to anybody."""


def _rows(traces: Sequence[Trace]) -> Dataset:
    """Rows that only point at the traces: texts and pixels stay out of the data set."""
    return Dataset.from_dict({"trace": list(range(len(traces)))})


def _not_yet(rows: list[dict[str, int]]) -> dict[str, torch.Tensor]:
    raise AssertionError("the collator is set once the processor is known")


# ----------------------------------------------------------------------------------------------------- the command


@dataclass
class TraceArguments:
    """What is learned from."""

    tasks: str = field(
        default="sample:vstar-tiny",
        metadata={"help": "Task set of the traces: a sample set, a path or a hub id (docs/tasks.md)."},
    )
    traces: str = field(
        default="synth.templates:single_pass_traces",
        metadata={"help": "A JSONL file of traces, or 'module:function' called with (task set, dialect, seed)."},
    )
    task_count: int | None = field(default=None, metadata={"help": "Use so many tasks of the set (default: all)."})


def main(argv: list[str]) -> int:
    """`pixel-env sft --config file.yaml [--flags]`; the model and the configuration go into `output_dir`."""
    arguments, args, model_config = parsed((TraceArguments, PixelSFTConfig, ModelConfig), argv, "sft")
    if model_config.model_name_or_path is None:
        raise ConfigError("No model was given. Give --model_name_or_path, a folder or the name of an embedded one.")
    dialect = dialect_named(args.dialect)
    task_set = load_tasks(arguments.tasks, split="train", count=arguments.task_count)
    folder = Path(args.output_dir)
    keep_configuration(folder, [arguments, args, model_config], resumes=bool(args.resume_from_checkpoint))
    trainer = PixelSFTTrainer(
        model=model_config.model_name_or_path,
        traces=_traces(arguments.traces, task_set, dialect, args.seed),
        args=args,
        task_set=task_set,
        peft_config=get_peft_config(model_config),
    )
    trainer.train(resume_from_checkpoint=checkpoint_to_resume(folder, args.resume_from_checkpoint))
    trainer.save_model()
    return 0


def _traces(spec: str, task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    if ":" not in spec:
        return read_traces(Path(spec), task_set)
    make: TraceMaker = own_function(spec, "traces function")
    return make(task_set, dialect, seed)
