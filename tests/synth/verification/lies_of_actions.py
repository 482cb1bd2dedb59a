"""Lies by flags, kinds, actions and order."""

import dataclasses

import numpy as np

from agents.traces.trace import Mistake, Trace
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.episode import Answer
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from tests.synth.verification.lie_kit import (
    DIALECT,
    action_of,
    another_answer,
    crop_call,
    lie,
    looks_of,
    one_of,
    with_turn,
)


@lie
def wrong_answer_in_the_box(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    return None if other is None else with_turn(trace, len(trace.turns) - 1, action=write(Answer(other), DIALECT))


@lie
def trained_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake]
    return with_turn(trace, flagged[0], train=True) if flagged else None


@lie
def mistake_without_its_flag(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.UNRELATED_REGION]
    return with_turn(trace, flagged[0], mistake=None, train=True) if flagged else None


@lie
def right_look_flagged_as_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    last = looks_of(trace)[-1]
    flag = Mistake.WRONG_FRAMES if trace.task.media == "video" else Mistake.UNRELATED_REGION
    return with_turn(trace, last, mistake=flag, train=False)


@lie
def flag_of_another_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.UNRELATED_REGION]
    return with_turn(trace, flagged[0], mistake=Mistake.OVERSIZED_REGION) if flagged else None


@lie
def name_of_another_kind(trace: Trace, rng: np.random.Generator) -> Trace:
    kinds = [kind for kind in ("single_pass", "recrop_once", "recrop_twice", "further_zoom") if kind != trace.kind]
    return dataclasses.replace(trace, kind=one_of(rng, kinds))


@lie
def unknown_kind(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, kind=one_of(rng, ["perfect_pass", "Single_Pass", "recrop", "zoom", "gold"]))


@lie
def nothing_trained(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=tuple(dataclasses.replace(turn, train=False) for turn in trace.turns))


@lie
def no_look(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=trace.turns[-1:])


@lie
def looks_twice_at_the_same(trace: Trace, rng: np.random.Generator) -> Trace | None:
    last = looks_of(trace)[-1]
    if len(trace.turns) > 4:
        return None
    turns = (*trace.turns[: last + 1], trace.turns[last], *trace.turns[last + 1 :])
    return dataclasses.replace(trace, turns=turns)


@lie
def last_turn_missing(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=trace.turns[:-1])


@lie
def box_elsewhere(trace: Trace, rng: np.random.Generator) -> Trace | None:
    action, last = action_of(trace, looks_of(trace)[-1]), looks_of(trace)[-1]
    if not isinstance(action, CropImage) or trace.turns[last].mistake:
        return None
    box = action.box
    x0 = 0.0 if box.x0 > 0.5 else 0.75
    y0 = 0.0 if box.y0 > 0.5 else 0.75
    return with_turn(trace, last, action=crop_call(action.image, Box(x0, y0, x0 + 0.2, y0 + 0.2)))


@lie
def other_frames(trace: Trace, rng: np.random.Generator) -> Trace | None:
    action = action_of(trace, looks_of(trace)[-1])
    if not isinstance(action, SelectFrames):
        return None
    known = {one.image for one in trace.task.evidence}
    free = [frame for frame in range(len(trace.task.sources)) if frame not in known]
    call = write(SelectFrames(tuple(free[:2])), DIALECT)
    return with_turn(trace, looks_of(trace)[-1], action=call)
