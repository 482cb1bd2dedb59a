"""Every row of another project's model cuts what that project's own function cuts, but where the row says otherwise."""

import json
from pathlib import Path

import pytest

from pixel_env.actions import parse_all
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.dialects.table import DIALECTS, PEERS
from pixel_env.failures import Failure
from pixel_env.media.sizes import native_size
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Answer, Malformed, Text
from pixel_env.views import Cut, View, ViewKind
from tests.pixel_env.golden.comparison import assert_differences

FOLDER = Path(__file__).parent
ROWS = [
    name
    for name, row in PEERS.items()
    if row.golden and {"crop_image", "point_zoom", "resize"} & set(row.dialect.operations)
]


def outcome_of(case, dialect, size):
    """("crop", region in pixels of what is cut), ("refused", None), ("answer", None) or ("no call", None)."""
    source = PixelSource(*size)
    whole = View(source, ViewKind.ORIGINAL)
    views = [whole, *(earlier(one, whole, dialect) for one in case.get("views", ()))]
    shown = [tuple(case["shown"]), *(tuple(one["result_size"]) for one in case.get("views", ()))]
    text = case["text"]
    for stop in dialect.stop:
        text = text[: text.index(stop) + len(stop)] if stop in text else text
    action = parse_all(text, dialect, shown, [native_size(view) for view in views])[0]
    match action:
        case Malformed():
            return "refused", None
        case Answer():
            return "answer", None
        case Text():
            return "no call", None
    result = action.run(views, tiny_task(sources=(source,)), dialect.rule)
    if isinstance(result, Failure):
        return "refused", None
    return "crop", region_of(result[0], case, dialect)


def earlier(one, whole, dialect):
    width, height = native_size(whole)
    left, top, right, bottom = one["region"]
    box = Box(max(0, left / width), max(0, top / height), min(1, right / width), min(1, bottom / height))
    return whole.cut(box, of_shown=not dialect.crops_source)


def region_of(view, case, dialect):
    """Left, top, right, bottom of what is cut: of the source, or of the image as shown that it is cut from."""
    size = native_size(View(view.source, ViewKind.ORIGINAL))
    if view.via is not None:
        size = tuple(case["shown"] if view.via.box == FULL else case["views"][-1]["result_size"])
    left, top, (width, height) = 0, 0, size
    for step in view.chain:
        if isinstance(step, Cut):
            x0, y0, x1, y1 = step.box.pixels(width, height, step.rounding)
            left, top, width, height = left + x0, top + y0, x1 - x0, y1 - y0
    return [left, top, left + width, top + height]


EQUAL = {
    "crop": "crop",
    "whole image": "crop",
    "refused": "refused",
    "fault": "refused",
    "blank image": "refused",
    "answer": "answer",
    "no call": "no call",
}


def compared(row: PeerRow):
    """Each case with whether ours does the same, what ours does and what theirs does."""
    data = json.loads((FOLDER / row.golden).read_text())
    for case in data["cases"]:
        size = tuple(data["images"][case["image"]]["size"])
        kind, region = outcome_of(case, row.dialect, size)
        if case["outcome"] not in EQUAL:
            continue  # of videos
        wanted = EQUAL[case["outcome"]]
        if wanted == "no call" and case["next"] == "ends" and row.dialect.answer_rule == "any":
            wanted = "answer"  # a turn without a call is the answer
        given = case.get("shown_region") if not row.dialect.crops_source else case.get("covered", case.get("region"))
        tolerance = 2 if case.get("views") else 0
        if case["outcome"] == "whole image":
            given = [0, 0, *(size if row.dialect.crops_source else case["shown"])]
        if wanted == "crop" and given is None:
            wanted = "refused"
        edges = zip(region, given, strict=True) if kind == wanted == "crop" else ()
        same = kind == wanted and all(abs(ours - theirs) <= tolerance for ours, theirs in edges)
        yield case, same, (kind, region), (wanted, given)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_cuts_what_its_project_cuts_but_where_it_says_otherwise(name):
    assert_differences(compared(PEERS[name]), PEERS[name].differences)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_at_least_forty_call_texts_over_three_sizes(name):
    data = json.loads((FOLDER / PEERS[name].golden).read_text())
    assert len(data["cases"]) >= 40 and {case["image"] for case in data["cases"]} == {0, 1, 2}
    assert data["commit"].startswith(PEERS[name].commit) and data["repository"] == PEERS[name].repository


def test_the_mended_row_of_deepeyes_cuts_what_the_model_sees_and_the_published_one_another_place():
    call = '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [2598, 1702, 2777, 1881]}}</tool_call>'
    case, size = {"text": call, "shown": (3584, 3584)}, (4032, 4032)
    _, published = outcome_of(case, DIALECTS["deepeyes"], size)
    _, mended = outcome_of(case, DIALECTS["deepeyes-mended"], size)
    assert published == [2598, 1702, 2777, 1881]
    assert mended[0] == pytest.approx(2598 * 4032 / 3584, abs=1) and mended[0] > published[2], "no overlap at all"
