"""The warm start: TRL's SFTTrainer on traces, and the command `pixel-env sft`.

Everything about training is TRL's; the rows (`collator.py`), their order (`length_groups.py`) and what is done before
the first step (`trace_survey.py`) and after the last (`sft_evaluation.py`) are ours.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import TrainerCallback
from trl import SFTTrainer
from trl.models import unwrap_model_for_generation

from agents.chat.chat import Chat
from agents.chat.video_positions import add_video_positions
from agents.checkpoints.loading import loading
from agents.checkpoints.names import checked_model_folder
from agents.engines.transformers import TransformersEngine
from agents.rollout import EpisodeSettings
from agents.sft.collator import TraceCollator
from agents.sft.config import PixelSFTConfig
from agents.sft.evaluation import Played, play_held_out
from agents.sft.length_groups import LengthGroups
from agents.sft.trace_survey import REFUSED, Survey, survey, write_refused
from agents.sft.vision_tower import beside_the_tower, freeze_vision_tower
from agents.traces.trace import Trace
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


class PixelSFTTrainer(SFTTrainer):
    """`SFTTrainer` whose rows are traces. The loss is the mean over the trained tokens of a step, of all processes.

    Traces that are too long for the model or cannot be played are left out before training starts, by name (`survey`
    tells which), unless `train_sampling_strategy` is `sequential`: then they are taken as they come, and such a trace
    stops the run. `played` after training tells what the model does on held-out ones.
    """

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
        quantization_config: Any = None,
        eval_task_set: TaskSet | None = None,
    ) -> None:
        """`task_set` gives the pixel budgets that the traces are played with; without one the dialect's are used.

        `eval_task_set` gives those of `eval_traces`, if they are not the same. Raises ConfigError if no trace can be
        trained on, or the model cannot be loaded.
        """
        if not len(traces):
            raise ConfigError("There are no traces to learn from. Give a folder, a file or a function that has some.")
        dialect = dialect or dialect_named(args.dialect)
        args.dataset_kwargs = {**(args.dataset_kwargs or {}), "skip_prepare_dataset": True}
        eval_traces = () if eval_traces is None else eval_traces
        with loading(model if isinstance(model, str) else type(model).__name__):
            super().__init__(
                model=checked_model_folder(model) if isinstance(model, str) else model,
                args=args,
                data_collator=_not_yet,
                train_dataset=_rows(range(len(traces))),
                eval_dataset=_rows(range(len(eval_traces))) if len(eval_traces) else None,
                processing_class=processing_class,
                callbacks=callbacks,
                peft_config=beside_the_tower(peft_config) if args.freeze_vision_tower else peft_config,
                quantization_config=quantization_config,
            )
        # Qwen's classes decline to divide by a step's tokens; TRL's loss, which is used instead of theirs, does it.
        self.model_accepts_loss_kwargs = True
        if args.freeze_vision_tower:
            freeze_vision_tower(self.model)
        add_video_positions(self.model)
        self.chat = Chat(self.processing_class, dialect)
        self.settings = self._settings(dialect, task_set)
        self.eval_settings = self._settings(dialect, task_set if eval_task_set is None else eval_task_set)
        always_sees = self.is_deepspeed_enabled or self.is_fsdp_enabled
        self.data_collator = TraceCollator(self.chat, self.settings, traces, always_sees)
        self._eval_collator = TraceCollator(self.chat, self.eval_settings, eval_traces, always_sees)
        self.survey: Survey | None = None
        self.eval_survey: Survey | None = None
        if self.accelerator.is_main_process:  # an earlier run's
            for name in REFUSED.values():
                write_refused(Path(args.output_dir) / name, ())
        if args.train_sampling_strategy != "sequential":
            self.survey = self._surveyed(self.data_collator, "train")
            self.train_dataset = _rows(self.survey.places, self.survey.tokens)
            if len(eval_traces):
                self.eval_survey = self._surveyed(self._eval_collator, "held-out")
                self.eval_dataset = _rows(self.eval_survey.places, self.eval_survey.tokens)

    def _settings(self, dialect: Dialect, task_set: TaskSet | None) -> EpisodeSettings:
        """As traces are played: no longer than the model reads."""
        settings = self.args.settings(dialect, task_set)
        longest = self.args.longest_trace(self.model.config.get_text_config().max_position_embeddings)
        return replace(settings, limits=replace(settings.limits, max_tokens=longest))

    # -------------------------------------------------------------------------------------------------------- rows

    def _surveyed(self, collator: TraceCollator, which: str) -> Survey:
        found = survey(collator.traces, self.chat, collator.settings)
        if found.refusals and self.accelerator.is_main_process:
            print(f"{which}: {found.summary()}", flush=True)
            write_refused(Path(self.args.output_dir) / REFUSED[which], found.refusals)
        if not found.places:
            raise ConfigError(f"No {which} trace is left to use. {found.summary()}")
        return found

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        """TRL's, but for `group_by_length`: rows of similar length that are computed at the same time."""
        if self.survey is None or self.args.train_sampling_strategy != "group_by_length":
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
            return sampler
        at_a_time = self._train_batch_size * self.accelerator.num_processes
        return LengthGroups(self.survey.tokens, at_a_time, self.args.seed)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """The base's, with the collator of the held-out traces."""
        training_collator = self.data_collator
        self.data_collator = self._eval_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = training_collator

    # ------------------------------------------------------------------------------------------------------ playing

    def played(self, traces: Sequence[Trace] | None = None) -> Played:
        """What the model does on the traces' tasks; every process plays its share, all get the whole.

        Without `traces`: on the held-out ones that were not refused.
        """
        if traces is None:
            held_out, found = self._eval_collator.traces, self.eval_survey
            traces = held_out if found is None else [held_out[place] for place in found.places]
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        with (
            torch.no_grad(),
            unwrap_model_for_generation(self.model_wrapped, self.accelerator) as policy,
            self.accelerator.autocast(),
        ):
            engine = TransformersEngine(policy, self.chat, max_batch=self.args.per_device_eval_batch_size)
            shard = {"rank": rank, "processes": processes}
            own = play_held_out(traces, engine, self.chat, self.eval_settings, **shard)
        if processes == 1:
            return own
        return Played(gather_object(list(own.free)), gather_object(list(own.forced)))

    def _send_telemetry(self) -> None:
        """Nothing is reported to anybody."""


def _rows(places: Sequence[int], tokens: Sequence[int] | None = None) -> Dataset:
    """Rows that only point at the traces: texts and pixels stay out of the data set."""
    lengths = {} if tokens is None else {"length": list(tokens)}
    return Dataset.from_dict({"trace": list(places), **lengths})


def _not_yet(rows: list[dict[str, int]]) -> dict[str, torch.Tensor]:
    raise AssertionError("the collator is set once the processor is known")


# ----------------------------------------------------------------------------------------------------- the command
