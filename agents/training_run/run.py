"""A training run in its folder: where it starts, how it is interrupted, and what is said where it cannot write.

Depends on the run's folder and on transformers' trainers; independent of what is trained. Both commands use it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import distributed
from transformers import TrainingArguments

from agents.run_folder.checkpoints import checkpoints_in
from agents.run_folder.configuration import FILE_NAME, read_configuration
from agents.run_folder.folder import RunFolder, rank_of_process
from agents.run_folder.start import Length, Start, about_schedule, forget_finished, keep_finished, start_of
from agents.run_folder.write_errors import told_of_writing
from agents.training_run.announcement import Announced, Material
from agents.training_run.arguments import RunArguments
from agents.training_run.interruption import Interruption
from agents.training_run.resumable import Resumable
from pixel_env.errors import ConfigError
from pixel_env.signals import Interrupted, number_of

MAY_CHANGE = (
    *("max_steps", "num_train_epochs"),  # a run may be lengthened
    *("disable_tqdm", "project", "trackio_space_id", "num_completions_to_print", "push_to_hub"),
    *("hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_always_push", "hub_revision"),
    *("dataloader_num_workers", "dataloader_prefetch_factor", "dataloader_persistent_workers"),
    *("dataloader_pin_memory", "include_num_input_tokens_seen", "use_cpu"),
)
"""Fields in which a run that goes on may differ, besides `MAY_CHANGE` of every run."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run whose folder is claimed. `is_finished`: it was over before, and nothing is to be done."""

    folder: Path
    checkpoint: str | None
    is_finished: bool

    def train(self, trainer: Resumable, model: str, material: Material) -> None:
        """Trains from where the run is, after a line that says what `model` is trained on.

        Raises Interrupted if a signal ended it, after a checkpoint was saved.
        """
        if self.checkpoint is not None:
            trainer.args.eval_on_start = False  # made before the first step, and kept in the checkpoint
        interruption = Interruption(trainer)
        trainer.add_callback(interruption)
        trainer.add_callback(Announced(model, material, measured_steps=trainer.steps_of_a_generation))
        with interruption.watching():
            trainer.train(resume_from_checkpoint=self.checkpoint)
        if interruption.ended is not None:
            raise Interrupted(interruption.ended)

    def finish(self, trainer: Resumable) -> None:
        """Notes that the run is over, if it made all its steps: its model and its evaluation are written."""
        if trainer.accelerator.is_main_process and trainer.state.global_step >= trainer.state.max_steps:
            keep_finished(self.folder, trainer.state.global_step, trainer.state.epoch or 0.0)


@contextmanager
def training_run(
    args: TrainingArguments, recorded: Sequence[Any], how: RunArguments, inputs: Sequence[str | None]
) -> Iterator[TrainingRun]:
    """Claims `output_dir` and decides where its run starts, which one line says.

    `recorded`: the dataclasses that the run depends on; `inputs`: folders and names that it reads, which must not be in
    its own folder. Raises ConfigError for a folder that cannot hold this run, WriteError if it cannot be written, and
    Interrupted, which says what is kept.
    """
    path = Path(args.output_dir or "")
    _refuse_inside(path, inputs)
    rank = rank_of_process()
    claimed = RunFolder.claimed(path, recorded, resumes=False, rank=rank, may_change=MAY_CHANGE, restarts=how.restart)
    with claimed as folder, told_of_writing(path, lambda: _kept(path)):
        try:
            start = _agreed(_start(folder, args, how) if rank == 0 else None, args)
            yield TrainingRun(path, start.checkpoint, start.is_finished)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(number_of(interrupt), _kept(path)) from interrupt


def _start(folder: RunFolder, args: Any, how: RunArguments) -> Start:
    length = Length(args.max_steps, args.num_train_epochs)
    before = read_configuration(folder.path) if (folder.path / FILE_NAME).exists() else {}
    start = start_of(folder.path, length, args.resume_from_checkpoint, restart=how.restart)
    if start.note:
        print(start.note, flush=True)
    if start.is_finished:
        return start
    if start.checkpoint is not None and (about := about_schedule(before, args)):
        print(about, flush=True)
    forget_finished(folder.path)
    folder.keep_configuration()
    return start


def _agreed(start: Start | None, args: TrainingArguments) -> Start:
    """The decision of the first process, in all of them."""
    decision = [start]
    # Asking for the device joins the processes. torch is asked for their number: without a GPU and use_cpu,
    # transformers counts each process as one of its own.
    if args.device is not None and distributed.is_initialized() and distributed.get_world_size() > 1:
        distributed.broadcast_object_list(decision)
    [agreed] = decision
    assert agreed is not None
    return agreed


def _refuse_inside(folder: Path, inputs: Sequence[str | None]) -> None:
    for given in inputs:
        if given is not None and Path(given).exists() and Path(given).resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"{given} is in --output_dir {folder}, which the run writes. Give another --output_dir.")


def _kept(folder: Path) -> str:
    """What a run that ends now keeps, for a message."""
    newest = checkpoints_in(folder).newest
    if newest is None:
        return f"nothing was saved in {folder}: the run starts from the beginning"
    return f"{newest} is kept, and the run goes on from there"
