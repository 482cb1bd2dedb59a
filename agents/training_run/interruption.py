"""Ctrl-C and SIGTERM in a training: a checkpoint is saved where one may be taken, then the run ends.

Depends on signals and on transformers' callbacks; independent of what is trained.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from agents.training_run.resumable import Resumable
from pixel_env.signals import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_REQUEST_S = 1.0
"""A launcher passes on the signal that the terminal has sent to its processes, too: within this time it is the same."""


class Interruption(TrainerCallback):
    """Ends the training of `trainer` at the next step after which a checkpoint may be taken, once a signal has arrived.

    Before the first step of this process, nothing would be lost: the signal raises Interrupted at once, as a second one
    does always. All processes of a run end at the same step.
    """

    def __init__(self, trainer: Resumable) -> None:
        self._trainer = trainer
        self._process = os.getpid()
        self._has_stepped = False
        self._number: int | None = None
        self._since_s = 0.0
        self.ended: int | None = None
        """The signal that ended the run after its checkpoint was saved."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A context in which signals are waited for. Outside of the main thread it does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._arrived) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Saves and stops, if a signal has arrived in any process and a checkpoint may be taken here."""
        self._has_stepped = True
        if not self._trainer.may_resume_here:
            return
        number = self._of_all_processes()
        if number == 0:
            return
        args.save_only_model = False  # a checkpoint without the optimizer's state cannot go on
        control.should_save = control.should_training_stop = True
        # Which checkpoint is the best must not depend on where a run was interrupted.
        control.should_evaluate = control.should_evaluate and args.load_best_model_at_end
        self.ended = number

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Does not save and evaluate again at the end of an epoch that was broken off."""
        if self.ended is not None:
            control.should_save = control.should_evaluate = False

    def _of_all_processes(self) -> int:
        """The number of the signal that has arrived in any of the processes, or 0."""
        number = self._number or 0
        accelerator = self._trainer.accelerator
        if accelerator.num_processes == 1:
            return number
        numbers: torch.Tensor = accelerator.gather(torch.tensor([number], device=accelerator.device))
        return int(numbers.max())

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return  # a forked worker of the data loader; its parent ends it
        if self._number is None and self._has_stepped:
            self._number, self._since_s = number, time.monotonic()
            # Not print: the signal may have interrupted one.
            os.write(2, b"\nInterrupted: a checkpoint is saved at the next possible step. Once more ends at once.\n")
        elif self._number is None or time.monotonic() - self._since_s > _ONE_REQUEST_S:
            raise Interrupted(number)
