"""Lies about looks: remarks that contradict an operation, places and moments that it is not at."""

import numpy as np

from agents.traces.trace import Mistake, Trace
from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from tests.synth.verification.lie_kit import action_of, before_the_end, halves, lie, looks_of, one_of, with_turn


@lie
def praises_a_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [
        index for index, turn in enumerate(trace.turns) if turn.mistake and turn.mistake is not Mistake.OVERSIZED_REGION
    ]
    forms = (
        "Perfect, this crop shows exactly what was asked.",
        "Great, here is the detail that I need.",
        "This is just what I was looking for.",
        "The detail is clearly visible here.",
        "Now I see what the question is about.",
        "Excellent, that settles it.",
        "This region holds the answer.",
        "Perfect, this shows it. Now I look elsewhere.",
    )
    return with_turn(trace, flagged[-1] + 1, words=one_of(rng, forms)) if flagged else None


@lie
def finds_an_over_large_crop_close_enough(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.OVERSIZED_REGION]
    forms = (
        "This crop is close enough to read everything.",
        "Perfect, the detail fills this view and is easy to read.",
        "This is as close as one can get, and perfectly legible.",
        "I can read the detail clearly in this crop.",
    )
    return with_turn(trace, flagged[0] + 1, words=one_of(rng, forms)) if flagged else None


_PLACES = {
    "top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1),
    "upper left": (0, 0), "lower right": (1, 1), "left": (0, None), "right": (1, None), "top": (None, 0),
    "bottom": (None, 1),
}  # fmt: skip


def wrong_place(box: Box, rng: np.random.Generator) -> str | None:
    """The name of a place that the box is not at."""
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    at = [
        name
        for name, (right, low) in _PLACES.items()
        if (right is not None and abs(x - right) > 0.6) or (low is not None and abs(y - low) > 0.6)
    ]
    return one_of(rng, at) if at else None


def crops_of(trace: Trace) -> list[tuple[int, CropImage]]:
    """The turns that crop, with their actions."""
    acted = [(index, action_of(trace, index)) for index in looks_of(trace)]
    return [(index, action) for index, action in acted if isinstance(action, CropImage)]


@lie
def names_another_corner(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (crops := crops_of(trace)):
        return None
    index, action = crops[int(rng.integers(len(crops)))]
    place = wrong_place(action.box, rng)
    whole = "this crop" if index and action.image >= len(trace.task.sources) else "the picture"
    if trace.task.media == "video":
        whole = "the frame"
    forms = (
        "I crop the {place} corner.",
        "I will zoom in on the {place} of {whole}.",
        "Let me look closer at the {place} part of {whole}.",
        "Next I crop the {place} area of {whole}.",
        "I need a closer look at the {place} corner of {whole}.",
        "Let me check the {place}-hand side of {whole}.",
        "Zooming in on the {place} region.",
    )
    if place is None:
        return None
    fitting = [form for form in forms if "hand" not in form or place in ("left", "right")]
    fitting = [form for form in fitting if "corner" not in form or " " in place]
    return with_turn(trace, index, words=one_of(rng, fitting).format(place=place, whole=whole))


@lie
def names_another_half(trace: Trace, rng: np.random.Generator) -> Trace | None:
    crops = [(index, action) for index, action in crops_of(trace) if action.image < len(trace.task.sources)]
    if not crops:
        return None
    index, action = crops[0]
    x, y = (action.box.x0 + action.box.x1) / 2, (action.box.y0 + action.box.y1) / 2
    wrong = [
        name for name, far in (("left", x > 0.7), ("right", x < 0.3), ("upper", y > 0.7), ("lower", y < 0.3)) if far
    ]
    if not wrong:
        return None
    forms = ("I crop the {} half of the picture.", "I zoom in on the {} third.", "Let me look at the {} half.")
    return with_turn(trace, index, words=one_of(rng, forms).format(one_of(rng, wrong)))


@lie
def names_the_centre(trace: Trace, rng: np.random.Generator) -> Trace | None:
    crops = [
        (index, action)
        for index, action in crops_of(trace)
        if action.image < len(trace.task.sources)
        and max(abs((action.box.x0 + action.box.x1) / 2 - 0.5), abs((action.box.y0 + action.box.y1) / 2 - 0.5)) > 0.32
        and action.box.area < 0.1
    ]
    if not crops:
        return None
    forms = (
        "I zoom in on the centre of the picture.",
        "Let me crop the middle of the picture.",
        "I take a closer look at the very center of the image.",
        "So I crop the central part of the picture.",
    )
    return with_turn(trace, crops[0][0], words=one_of(rng, forms))


def selections_of(trace: Trace) -> list[tuple[int, SelectFrames]]:
    """The turns that select frames, with their actions."""
    acted = [(index, action_of(trace, index)) for index in looks_of(trace)]
    return [(index, action) for index, action in acted if isinstance(action, SelectFrames)]


@lie
def names_another_moment(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (selections := selections_of(trace)):
        return None
    index, action = selections[0]
    middle = (action.frames[0] + action.frames[-1] + 1) / 2 / len(trace.task.sources)
    wrong = ["the end of the video", "the last frames", "the closing part of the video", "the final frames"]
    if middle > 0.5:
        wrong = ["the beginning of the video", "the first frames", "the opening of the video", "the early frames"]
    if 0.4 < middle < 0.6:
        return None
    forms = ("I select {}.", "I will look more closely at {}.", "Let me select frames from {}.", "I turn to {}.")
    return with_turn(trace, index, words=one_of(rng, forms).format(one_of(rng, wrong)))


@lie
def names_other_frames(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (selections := selections_of(trace)):
        return None
    index, action = selections[0]
    free = [n for n in range(1, len(trace.task.sources) + 1) if n not in action.frames and n - 1 not in action.frames]
    if len(free) < 2:
        return None
    first = free[int(rng.integers(len(free)))]
    forms = (f"I select frame {first}.", f"Let me look closer at frame {first}.", f"I pick frame number {first}.")
    return with_turn(trace, index, words=one_of(rng, list(forms)))


@lie
def names_another_second(trace: Trace, rng: np.random.Generator) -> Trace | None:
    selections = selections_of(trace)
    if not selections or not trace.task.frames_per_second:
        return None
    index, action = selections[0]
    seconds = [frame / trace.task.frames_per_second for frame in action.frames]
    free = [second for second in range(len(trace.task.sources)) if min(abs(second - one) for one in seconds) > 3]
    if not free:
        return None
    second = free[int(rng.integers(len(free)))]
    forms = (
        f"I select the frames at {second} seconds.",
        f"Let me look at second {second}.",
        f"I look closer at the moment around 0:{second:02}.",
        f"I select what happens {second} s into the video.",
    )
    return with_turn(trace, index, words=one_of(rng, list(forms)))


@lie
def names_another_operation(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if selections := selections_of(trace):
        forms = ("I crop the region that matters.", "I will crop the picture there.", "So I rotate the picture.")
        return with_turn(trace, selections[0][0], words=one_of(rng, forms))
    index, _ = crops_of(trace)[0]
    forms = ("I select the frames that matter.", "I will select some frames.", "So I rotate the picture.")
    return with_turn(trace, index, words=one_of(rng, forms))


@lie
def quotes_another_question(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = ('The question is: "{}"', 'I am asked: "{}"', 'My task reads: "{}"')
    others = ["What is the man with the hat holding?", "Where does the train stop?", "Who wins the race?"]
    return with_turn(trace, 0, words=f"{one_of(rng, forms).format(one_of(rng, others))} {halves(trace.turns[0])[0]}")


@lie
def counts_looks_that_were_not(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if len(looks_of(trace)) != 1:
        return None
    forms = (
        "After three crops I can tell.",
        "Both crops show it.",
        "My second look settles it.",
        "The third crop shows it best.",
        "The two looks agree.",
    )
    if trace.task.media == "video":
        forms = ("My second look settles it.", "After three selections I can tell.", "Both selections show it.")
    return before_the_end(trace, one_of(rng, forms))
