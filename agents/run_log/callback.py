"""The callback that keeps a training run's log and prints its line on the console.

Depends on transformers' events; independent of rewards, losses and models.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback
from transformers.utils.logging import disable_progress_bar

from agents.run_log.appending import Appender
from agents.run_log.console import line_of
from agents.run_log.log import LOG, kind_of, log_row, resume_log
from agents.run_log.rollouts import RolloutLog, resume_rollouts
from agents.run_log.timing import StepTimes
from agents.run_log.trackers import show_rollouts


def attach_run_log(trainer: Trainer, times: StepTimes, rollouts: RolloutLog | None = None) -> None:
    """Lets `trainer` keep `log.jsonl` and print one line a row, instead of the progress bar and the printed rows.

    `times`: the parts of a step that the trainer measures; `rollouts`: the file in which it keeps rollouts.
    """
    trainer.remove_callback(ProgressCallback)
    trainer.remove_callback(PrinterCallback)
    disable_progress_bar()  # of transformers, for files of models
    # First of all: whoever is reported to gets the seconds and the memory, too.
    callbacks: list[TrainerCallback] = trainer.callback_handler.callbacks
    callbacks.insert(0, RunLog(Path(trainer.args.output_dir), times, rollouts))
    if trainer.args.run_name is None:  # a tracker continues the run of this name when it resumes
        trainer.args.run_name = Path(trainer.args.output_dir).resolve().name
    if rollouts is not None:
        rollouts.show = partial(show_rollouts, callbacks)


class RunLog(TrainerCallback):
    """Keeps the log in `folder`, of the main process alone.

    Adds to every logged row of training: `time/step`, the wall seconds of an optimizer step, and its parts, which sum
    up to it; `memory/resident_gb` and, with a GPU, `memory/gpu_peak_gb` of this process. An evaluation gets the seconds
    of its parts as `eval_time/...`.
    """

    def __init__(
        self,
        folder: Path,
        times: StepTimes,
        rollouts: RolloutLog | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._folder = folder
        self._log = Appender(folder / LOG)
        self._times = times
        self._rollouts = rollouts
        self._clock = clock
        self._seconds: dict[str, float] = defaultdict(float)
        self._steps = 0
        self._begun = self._ended = clock()
        self._step_s: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Cuts the files where the run resumes."""
        if self._rollouts is not None:
            self._rollouts.forget()
        if state.is_world_process_zero:
            try:
                resume_log(self._folder, state.global_step, state.log_history)
            except OSError as error:
                print(f"pixel-env: {self._folder / LOG} cannot be written ({error.strerror}).", file=sys.stderr)
            is_evaluated = any(kind_of(row) == "eval" and row["step"] == state.global_step for row in state.log_history)
            resume_rollouts(self._folder, state.global_step, is_evaluated=is_evaluated)
        self._forget()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The batches of the step have been read."""
        self._begun = self._clock()
        self._seconds["data"] += self._begun - self._ended
        self._times.taken()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """What the trainer has not measured as another part is the update."""
        self._ended = self._clock()
        parts = self._times.taken()
        for name, seconds in parts.items():
            self._seconds[name] += seconds
        self._seconds["update"] += self._ended - self._begun - sum(parts.values())
        self._steps += 1

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Adds the figures of this process to the row, keeps it, and prints its line."""
        if logs is not None:
            self._add_figures(logs)
            if state.is_world_process_zero:
                row = log_row(state.global_step, logs, total=state.max_steps, time=datetime.now(UTC))
                self._log.append([row])
                print(
                    line_of(state.global_step, state.max_steps, logs, seconds_a_step=self._step_s),
                    flush=True,
                )
        self._ended = self._clock()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluations are not part of a step."""
        self._ended = self._clock()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Checkpoints are not part of a step."""
        self._ended = self._clock()

    def _add_figures(self, logs: dict[str, Any]) -> None:
        kind = kind_of(logs)
        if kind == "eval":
            logs |= {f"eval_time/{name}": seconds for name, seconds in self._times.taken().items()}
        elif kind == "train" and self._steps:
            of_a_step = {name: seconds / self._steps for name, seconds in self._seconds.items()}
            self._step_s = sum(of_a_step.values())
            logs |= {"time/step": self._step_s, **{f"time/{name}": seconds for name, seconds in of_a_step.items()}}
            logs |= memory_figures()
            self._forget()

    def _forget(self) -> None:
        self._seconds.clear()
        self._steps = 0
        self._ended = self._clock()


def memory_figures() -> dict[str, float]:
    """Memory of this process in 10^9 bytes: resident now and, with a GPU, the most that torch has allocated."""
    figures = {"memory/resident_gb": psutil.Process(os.getpid()).memory_info().rss / 1e9}
    if torch.cuda.is_available():
        figures["memory/gpu_peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return figures
