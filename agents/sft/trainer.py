"""Warm start: TRL's SFTTrainer on demonstrations (traces).

Training is TRL's; ours are the rows (`collator.py`), their order (`length_groups.py`), the survey before the first step
(`trace_survey.py`) and the evaluation after the last (`evaluation.py`). Depends on TRL's trainer; independent of
commands and flags.
"""

import json
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
from agents.checkpoints.adapter_kinds import check_adapter
from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.continuing import TrainedModel, model_to_train
from agents.checkpoints.conventions import write_convention
from agents.checkpoints.loading import loading
from agents.checkpoints.vision_tower import freeze_vision_tower, without_tower
from agents.config.model_dialect import dialect_of_object
from agents.config.training_steps import check_trained
from agents.engines.transformers import TransformersEngine
from agents.model_card.card import CardFacts
from agents.model_card.upload import Published
from agents.rollout import EpisodeSettings
from agents.run_folder.checkpoint_files import TOKENS, check_resumed
from agents.run_folder.configuration import write_whole
from agents.run_log.callback import attach_run_log
from agents.run_log.timing import StepTimes
from agents.sft.card import card_facts
from agents.sft.collator import TraceCollator
from agents.sft.config import PixelSFTConfig
from agents.sft.evaluation import Played, play_held_out
from agents.sft.length_groups import LengthGroups
from agents.sft.trace_survey import REFUSED, Survey, survey, write_refused
from agents.traces.trace import Trace
from agents.training_run.resumable import Resumable
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


class PixelSFTTrainer(Resumable, Published, SFTTrainer):
    """`SFTTrainer` whose rows are traces. The loss is the mean over the trained tokens of a step, of all processes.

    Traces that are too long for the model or cannot be played are left out before training starts, and listed in
    `survey`, unless `train_sampling_strategy` is `sequential`: then traces are not checked before, and such a trace
    stops the run. `played`, after training, evaluates the model on the held-out ones.
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
        """`task_set` gives the pixel budgets of the traces; without one the dialect's are used.

        `eval_task_set` gives those of `eval_traces`, if they differ. Raises ConfigError if no trace can be trained on,
        or the model cannot be loaded.
        """
        if not len(traces):
            raise ConfigError("There are no traces to train on. Give a folder, a file or a function with at least one.")
        check_adapter(peft_config)
        dialect = dialect or args.take(dialect_of_object(args.dialect, model))
        args.dataset_kwargs = {**(args.dataset_kwargs or {}), "skip_prepare_dataset": True}
        eval_traces = () if eval_traces is None else eval_traces
        with loading(model if isinstance(model, str) else type(model).__name__):
            name = checked_model_folder(model) if isinstance(model, str) else model
            trained = model_to_train(
                TrainedModel(name, processing_class, peft_config, quantization_config, args.model_init_kwargs)
            )
            args.model_init_kwargs, self.continued_adapter = trained.model_init_kwargs, trained.adapter
            super().__init__(
                model=trained.model,
                args=args,
                data_collator=_not_yet,
                train_dataset=_rows(range(len(traces))),
                eval_dataset=_rows(range(len(eval_traces))) if len(eval_traces) else None,
                processing_class=trained.processing_class,
                callbacks=callbacks,
                peft_config=without_tower(trained.peft_config) if args.freeze_vision_tower else trained.peft_config,
                quantization_config=trained.quantization_config,
            )
        # Qwen's classes do not divide by the tokens of a step; TRL's loss, which is used instead of theirs, does.
        self.model_accepts_loss_kwargs = True
        if args.freeze_vision_tower:
            freeze_vision_tower(self.model)
        add_video_positions(self.model)
        self.chat = Chat(self.processing_class, dialect)
        self.convention_settings = args.settings(dialect, task_set)
        self.settings = self._settings(dialect, task_set)
        self.eval_settings = self._settings(dialect, task_set if eval_task_set is None else eval_task_set)
        add_blank_row = self.is_deepspeed_enabled or self.is_fsdp_enabled
        self.data_collator = TraceCollator(self.chat, self.settings, traces, add_blank_row)
        self._eval_collator = TraceCollator(self.chat, self.eval_settings, eval_traces, add_blank_row)
        attach_run_log(self, StepTimes())
        self.survey: Survey | None = None
        self.eval_survey: Survey | None = None
        if self.accelerator.is_main_process:  # files of an earlier run
            for name in REFUSED.values():
                write_refused(Path(args.output_dir) / name, ())
        if args.train_sampling_strategy != "sequential":
            self.survey = self._surveyed(self.data_collator, "train")
            self.train_dataset = _rows(self.survey.indices, self.survey.tokens)
            if len(eval_traces):
                self.eval_survey = self._surveyed(self._eval_collator, "held-out")
                self.eval_dataset = _rows(self.eval_survey.indices, self.eval_survey.tokens)

    def _settings(self, dialect: Dialect, task_set: TaskSet | None) -> EpisodeSettings:
        """The settings of traces, with tokens limited to the model's context."""
        settings = self.args.settings(dialect, task_set)
        longest = self.args.longest_trace(self.model.config.get_text_config().max_position_embeddings)
        return replace(settings, limits=replace(settings.limits, max_tokens=longest))

    # -------------------------------------------------------------------------------------------------------- rows

    def _surveyed(self, collator: TraceCollator, which: str) -> Survey:
        surveyed = survey(collator.traces, self.chat, collator.settings)
        if surveyed.refusals and self.accelerator.is_main_process:
            print(f"{which}: {surveyed.summary()}", flush=True)
            write_refused(Path(self.args.output_dir) / REFUSED[which], surveyed.refusals)
        if surveyed.missing and self.accelerator.is_main_process:
            print(f"{which}: {surveyed.shown(collator.traces)}", flush=True)
        if not surveyed.indices:
            raise ConfigError(f"No {which} trace can be used. {surveyed.summary()}")
        return surveyed

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        """TRL's sampler; for `group_by_length`, ours: rows of similar length are computed at the same time."""
        if self.survey is None or self.args.train_sampling_strategy != "group_by_length":
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
            return sampler
        at_a_time = self._train_batch_size * self.accelerator.num_processes
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return LengthGroups(self.survey.tokens, at_a_time, seed)

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
        """Plays the traces' tasks with the model; every process plays its share and gets all episodes.

        Without `traces`: the held-out ones that were not refused.
        """
        if traces is None:
            held_out, surveyed = self._eval_collator.traces, self.eval_survey
            traces = held_out if surveyed is None else [held_out[index] for index in surveyed.indices]
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

    # -------------------------------------------------------------------------------------------------- checkpoints

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **options: Any) -> Any:
        """TRL's; a checkpoint is read as data. Raises ConfigError for a training of 0 steps."""
        check_resumed(resume_from_checkpoint, self.args.output_dir)
        output = super().train(resume_from_checkpoint, *args, **options)
        check_trained(self.state.global_step)
        return output

    def _save_rng_state(self, output_dir: str) -> None:
        """The base's, and the tokens seen so far, which TRL counts from 0 after resuming."""
        super()._save_rng_state(output_dir)
        if self.args.should_save:
            write_whole(Path(output_dir) / TOKENS, json.dumps({"num_tokens": int(self._total_train_tokens)}) + "\n")

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is not None and (file := Path(checkpoint) / TOKENS).is_file():
            self._total_train_tokens = json.loads(file.read_text(encoding="utf-8"))["num_tokens"]

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The base's; how the model acts is kept beside its weights, in checkpoints, too."""
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            write_convention(Path(output_dir or self.args.output_dir), self.args.convention(self.convention_settings))

    traces_name = "traces"
    """What the model card calls the traces."""

    def card_facts(self) -> CardFacts:
        """What the model card says."""
        return card_facts(self, self.traces_name)

    def _send_telemetry(self) -> None:
        """Sends nothing."""


def _rows(indices: Sequence[int], tokens: Sequence[int] | None = None) -> Dataset:
    """Rows with only the indices of traces: texts and pixels stay out of the data set."""
    lengths = {} if tokens is None else {"length": list(tokens)}
    return Dataset.from_dict({"trace": list(indices), **lengths})


def _not_yet(rows: list[dict[str, int]]) -> dict[str, torch.Tensor]:
    raise AssertionError("the collator is set once the processor is known")
