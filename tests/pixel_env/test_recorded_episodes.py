"""The ids keep their promise: what was recorded once comes out the same, to the byte."""

import PIL
import pytest

from tests.pixel_env.recording import again, told
from tests.pixel_env.recording_files import FOLDER, plain, recorded, recorded_with, without_pixels
from tests.pixel_env.recording_plan import BASES

FILES = sorted(path.name for path in FOLDER.glob("*.jsonl"))
IDS = {f"PixelReasoning-{name}-v0" for name in ("VStar", "TallyQA", "InfographicsVQA", "MVBench")}
CODES = {
    *("broken_json", "cut_off", "two_calls", "unknown_operation", "bad_arguments"),
    *("box_length", "box_not_finite", "box_empty", "box_inverted", "box_outside"),
    *("no_such_image", "crop_too_small", "crop_too_long"),
    *("not_a_video", "no_frames", "no_such_frame", "too_many_frames"),
    "unreadable_source",
}
IS_SAME_PILLOW = PIL.__version__ == recorded_with()


@pytest.mark.parametrize("file", FILES)
def test_what_was_recorded_comes_out_the_same(file):
    for number, row in enumerate(recorded(file), start=1):
        now = plain(again(row))
        # Another Pillow draws and scales some pixels a little differently: then sizes are compared.
        what_differs = told(row, now) if IS_SAME_PILLOW else told(without_pixels(row), without_pixels(now))
        assert what_differs is None, f"{file}, line {number}: {what_differs}"


@pytest.mark.skipif(
    not IS_SAME_PILLOW, reason=f"pip install pillow=={recorded_with()}: the pixels are compared with it"
)
def test_pixels_were_compared_as_well():
    assert any(without_pixels(row) != row for file in FILES for row in recorded(file))


def test_every_id_dialect_ending_intervention_and_failure_is_recorded():
    rows = [row for file in FILES for row in recorded(file)]
    settings = [row["setting"] for row in rows if "setting" in row]
    steps = [step for row in rows for step in row.get("steps", [])]
    refused = [step for step in steps if "failure" in step]
    assert {*IDS, "own"} == {setting["id"] for setting in settings}
    assert {*BASES} <= {row["dialect"] for row in rows if "dialect" in row}
    assert {*BASES} <= {setting["dialect"] for setting in settings if setting["id"] in IDS}
    assert {"answered", "turns", "images", "tokens"} <= {step.get("stop") for step in steps}
    assert {"blank", "withheld", "random_place:3"} <= {setting.get("intervention") for setting in settings}
    failures = [step["action"] if step["failure"] == "as the action" else step["failure"] for step in refused]
    assert {failure["code"] for failure in failures} == CODES
