"""What a GRPO training keeps in its folder: checkpoints that a run can go on from, the model's convention, its card.

Depends on TRL's trainer, whose methods used here `tests/contracts` pin, and on files; independent of rollouts, rewards
and losses.
"""

from math import ceil
from pathlib import Path
from typing import Any

from trl import GRPOTrainer

from agents.checkpoints.conventions import write_convention
from agents.config.training_steps import check_trained
from agents.grpo.card import card_facts
from agents.grpo.replay_batches import Replay
from agents.grpo.replay_files import replay_file
from agents.model_card.card import CardFacts
from agents.model_card.upload import Published
from agents.run_folder.checkpoint_files import check_resumed
from agents.training_run.resumable import Resumable
from pixel_env.dialects.dialect import Dialect
from pixel_env.task import TaskSet


class KeptOnDisk(Resumable, Published, GRPOTrainer):
    """The part of `PixelGRPOTrainer` that saves and resumes. `_beside`: what generates beside the policy, or None."""

    dialect: Dialect
    _task_sets: dict[str, TaskSet]
    _replay: Replay | None
    _beside: Any

    @property
    def may_resume_here(self) -> bool:
        """Whether no part of a generation batch is left: TRL keeps it in memory only."""
        return bool(self._step % (self.args.steps_per_generation * self.num_iterations) == 0)

    @property
    def steps_of_a_generation(self) -> int:
        """Optimizer steps that are made of one generation, rounded up."""
        return ceil(self.args.steps_per_generation * self.num_iterations / self.args.gradient_accumulation_steps)

    def _save_rng_state(self, output_dir: str) -> None:
        """Saves each process's own state in a checkpoint: random states and its replay buffer."""
        super()._save_rng_state(output_dir)
        if self._replay is not None:
            self._replay.save(replay_file(output_dir, self.accelerator.process_index))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if self._replay is not None and checkpoint is not None:
            file = replay_file(checkpoint, self.accelerator.process_index)
            self._replay.load(file, self._task_sets["train"])

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The base's; how the model acts is kept beside its weights, in checkpoints, too."""
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            settings = self.args.settings(self.dialect, self._task_sets["train"])
            write_convention(Path(output_dir or self.args.output_dir), self.args.convention(settings))

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **options: Any) -> Any:
        """TRL's; the policy's weights may have changed since the engine loaded them. A checkpoint is read as data.

        Raises ConfigError for a training of 0 steps.
        """
        check_resumed(resume_from_checkpoint, self.args.output_dir)
        self.args.check_state_is_saved(resumes=bool(resume_from_checkpoint))
        self._outdate_engine()
        output = super().train(resume_from_checkpoint, *args, **options)
        check_trained(self.state.global_step)
        return output

    def _load_best_model(self) -> None:
        super()._load_best_model()
        self._outdate_engine()

    def _outdate_engine(self) -> None:
        if self._beside is not None:
            self._beside.outdate()

    def card_facts(self) -> CardFacts:
        """What the model card says."""
        return card_facts(self, self._task_sets["train"])
