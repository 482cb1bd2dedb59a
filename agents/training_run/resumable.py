"""What a trainer of transformers' needs to be stopped at any moment and to end with the same weights.

Depends on methods of transformers' Trainer (`tests/contracts/test_resuming.py` pins them) and on
checkpoints; independent of what is trained.
"""

import shutil
from math import isfinite
from pathlib import Path
from typing import Any

from torch.optim.lr_scheduler import LambdaLR
from transformers import Trainer
from transformers.trainer_utils import rotate_checkpoints

from agents.run_folder.checkpoints import mark_whole, unmark
from pixel_env.errors import ConfigError


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

    def _init_training_state(self, max_steps: int, *args: Any) -> tuple[int, int]:
        """The base's; how often is logged, saved and evaluated is what is asked for now, not when the run began."""
        passed: tuple[int, int] = super()._init_training_state(max_steps, *args)
        self.state.compute_steps(self.args, max_steps)
        return passed

    def _maybe_log_save_evaluate(self, tr_loss: Any, grad_norm: Any, *args: Any, **options: Any) -> None:
        """The base's. Raises ConfigError after a step whose gradient was not finite: its weights are worth nothing."""
        # With fp16 the scaler of gradients leaves such steps out.
        if grad_norm is not None and not self.args.fp16 and not isfinite(float(grad_norm)):
            raise ConfigError(
                f"The gradient of step {self.state.global_step} has the norm {float(grad_norm)}: its weights are of no "
                "use and are not saved. Lower learning_rate or max_grad_norm. With the same configuration the run goes "
                "on from its last checkpoint."
            )
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, *args, **options)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """The base's; the next step has the rate of the present schedule, whose length may be another one by now."""
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None or not isinstance(schedule := self.lr_scheduler, LambdaLR):
            return
        for group, base, share in zip(self.optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
            group["lr"] = base * share(schedule.last_epoch)
        schedule._last_lr = [group["lr"] for group in self.optimizer.param_groups]  # what is logged

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """The base's; none where the last step was made: resumed from its checkpoint, the base would make one more."""
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return [], None
        batches: tuple[list[Any], Any] = super().get_batch_samples(epoch_iterator, num_batches, device)
        return batches
