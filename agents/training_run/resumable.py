"""What a trainer of transformers' needs to be stopped at any moment and to end with the same weights.

Depends on methods of transformers' Trainer (`tests/contracts/test_resuming.py` pins them) and on
checkpoints; independent of what is trained.
"""

import shutil
from pathlib import Path
from typing import Any

from transformers import Trainer
from transformers.trainer_utils import rotate_checkpoints

from agents.run_folder.checkpoints import mark_whole, unmark


class Resumable(Trainer):
    """A Trainer whose checkpoints are marked when they are whole, and that trains no step too many after resuming."""

    @property
    def may_resume_here(self) -> bool:
        """Whether a run that stops after the present step loses nothing but what a checkpoint holds."""
        return True

    @property
    def steps_of_a_generation(self) -> int:
        """Optimizer steps that are made of one generation, rounded up; 1 where nothing is generated."""
        return 1

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """The base's; then the checkpoint is marked, and only then are older ones removed."""
        folder = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}"
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        if self.args.should_save:
            unmark(folder)
        try:
            super()._save_checkpoint(model, trial)
        except Exception:
            if self.args.should_save:  # on a full disk the part that was written is in the way
                shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self.args.save_total_limit = limit
        self.accelerator.wait_for_everyone()  # each process writes files of its own
        if not self.args.should_save:
            return
        if self.may_resume_here and not self.args.save_only_model:
            mark_whole(folder)
        rotate_checkpoints(str(folder.parent), limit, self.state.best_model_checkpoint, use_mtime=True)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """The base's; then the trained adapter, if there is another one besides: the reference of a KL term.

        The base looks into the checkpoint's folders for adapters, and where it finds one, it loads none from beside
        them, which is where the trained one lies.
        """
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        policy = self.model if model is None else model
        if len(getattr(policy, "peft_config", ())) > 1:
            policy.load_adapter(resume_from_checkpoint, policy.active_adapter, is_trainable=True)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """The base's; none where the last step was made: resumed from its checkpoint, the base would make one more."""
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return [], None
        batches: tuple[list[Any], Any] = super().get_batch_samples(epoch_iterator, num_batches, device)
        return batches
