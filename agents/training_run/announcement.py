"""What a training is about to do, in one line before its first step, and after three steps how long it will take.

Depends on transformers' callbacks; independent of tasks, traces and losses.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_pt_utils import get_model_param_count

from agents.run_log.console import duration

_MEASURED_STEPS = 3


@dataclass(frozen=True, slots=True)
class Material:
    """What a run trains on: so many tasks or traces of a set, and what an optimizer step takes of it.

    Args:
        count: Of the tasks or traces.
        kind: "tasks" or "traces".
        name: Of the set, a file or a folder.
        dialect: By which the run records it.
        a_step: Rollouts or traces of an optimizer step, of all processes; a part of one if a generation lasts longer.
        taken: "rollouts" or "traces".
        group: Rollouts of one task; 1 for traces.
    """

    count: int
    kind: str
    name: str
    dialect: str
    a_step: float
    taken: str
    group: int = 1


def what_is_trained(*, model: str, trained: int, parameters: int, adapters: bool, weights: str, arithmetic: str) -> str:
    """The model, how much of it is trained, and in which precision: of the trained weights, and of the arithmetic."""
    part = "all" if trained == parameters else f"{trained:,} of"
    adapted = "adapters, " if adapters else ""
    numbers = weights if weights == arithmetic else f"{weights} weights, {arithmetic} arithmetic"
    return f"{model} ({adapted}{part} {parameters:,} parameters, {numbers})"


def announcement(trained: str, material: Material, *, steps: int, done: int) -> str:
    """The line: what is trained, on what, and for how long. `done`: steps of an earlier start of the run."""
    groups = f", {material.group} of each task" if material.group > 1 else ""
    total = round(material.a_step * (steps - done))
    left = f"{steps} steps" if done == 0 else f"{steps - done} of {steps} steps are left"
    return (
        f"trains {trained} on {material.count:,} {material.kind} of {material.name} in dialect {material.dialect}: "
        f"{left}, {total:,} {material.taken}{groups}"
    )


def time_left(seconds: float, measured: int, left: int, *, now: Callable[[], float] = time.time) -> str:
    """The line about the time that `left` steps will take, after `measured` ones took so many seconds."""
    rest_s = seconds / measured * left
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(now() + rest_s))
    return (
        f"{measured} steps took {duration(seconds)}: the other {left:,} will take about {duration(rest_s)}, until "
        f"{until} (evaluations and checkpoints not counted)"
    )


class Announced(TrainerCallback):
    """Prints both lines, in the main process."""

    def __init__(
        self,
        model: str,
        material: Material,
        *,
        measured_steps: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`measured_steps`: at least so many are measured; more where a generation lasts longer."""
        self._model = model
        self._material = material
        self._measured = max(_MEASURED_STEPS, measured_steps)
        self._clock = clock
        self._since: float | None = None
        self._seconds = 0.0
        self._steps = 0

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        """The first line, unless no step is left."""
        if state.is_world_process_zero and state.global_step < state.max_steps:
            trained = trained_model(self._model, given["model"], args)
            line = announcement(trained, self._material, steps=state.max_steps, done=state.global_step)
            print(line, flush=True)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The time starts with the first step."""
        if self._since is None:
            self._since = self._clock()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The second line, once enough steps are measured and some are left."""
        now = self._clock()
        assert self._since is not None
        self._seconds += now - self._since
        self._since = now
        self._steps += 1
        left = state.max_steps - state.global_step
        if self._steps == self._measured and left > 0 and state.is_world_process_zero:
            print(time_left(self._seconds, self._steps, left), flush=True)

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Evaluations are not counted."""
        self._skip()

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Checkpoints are not counted."""
        self._skip()

    def _skip(self) -> None:
        if self._since is not None:
            self._since = self._clock()


def trained_model(name: str, model: torch.nn.Module, args: Any) -> str:
    """`what_is_trained` of a model that is ready to be trained."""
    dtypes = {str(one.dtype).removeprefix("torch.") for one in model.parameters() if one.requires_grad}
    weights = " and ".join(sorted(dtypes)) or "no"
    arithmetic = "bfloat16" if args.bf16 else "float16" if args.fp16 else weights
    return what_is_trained(
        model=name,
        trained=get_model_param_count(model, trainable_only=True),
        parameters=get_model_param_count(model),
        adapters=hasattr(model, "peft_config"),
        weights=weights,
        arithmetic=arithmetic,
    )
