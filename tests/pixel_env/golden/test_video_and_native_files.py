"""The golden values of video peers and of native call grammars: their form, and our frames beside those of the peers.

Each file was computed by running the peer's public code on made videos; `command` in it says how. A difference that we
chose stands here by name.
"""

import json
import re
from pathlib import Path

import pytest

from pixel_env.dialects.table import DIALECTS
from pixel_env.failures import Failure
from pixel_env.timeline import Timeline

FOLDER = Path(__file__).parent
VIDEO = ("video_zoomer", "frame_thinker", "long_vt")
NATIVE = ("qwen3_5", "glm_4_5v")
OUTCOMES = {"frames", "text", "refused", "no call", "answer", "crash", "calls"}
LONGEST_TEXT = 200
"""Longer texts of other people stand in a file as length and SHA-256 alone."""

VIDEO_ZOOMER, LONG_VT, FRAME_THINKER = (DIALECTS[name].frames for name in ("videozoomer", "longvt", "framethinker"))

REFUSED_BY_US = {
    "beyond the end": "no_such_frame",  # theirs: as many copies of the last frame as were requested
    "negative": "no_such_frame",  # theirs: copies of the first frame
    "start = end": "no_frames",  # theirs: a message that announces frames and holds none
    "too short for a frame": "no_frames",
    "zero rate": "no_frames",
    "start > end, negative rate": "no_frames",  # theirs: copies of the frame at the start
}
"""Kinds of calls that VideoZoomer executes and we refuse, with our failure."""


OUR_WORDS = ("extract", "note", "read_at", "rule", "slots", "rendered")
"""Keys whose text is ours."""


def golden(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def seen_texts(value):
    """Every text in a part of a file that describes what a model is shown."""
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield from (
                    () if key in ("extract", "note", "read_at", "rule", "slots", "rendered") else seen_texts(item)
                )
        case list():
            for item in value:
                yield from seen_texts(item)


@pytest.mark.parametrize("name", VIDEO + NATIVE)
def test_a_file_names_what_was_run_and_where_each_fact_is_written(name):
    data = golden(name)
    assert re.fullmatch(r"[0-9a-f]{40}|v\d+\.\d+\.\d+", data["commit"]) and data["repository"].count("/") == 1
    assert data["ran"] and data["command"] and data["functions"] and data["file"] and data["licence"]
    assert {"prompt", "prompts", "limits", "sampling", "stop", "prefill", "published", "notes"} <= set(data)
    if name in VIDEO:
        for part in ("limits", "sampling", "overview"):
            assert all(re.search(r":\d+$", place) for place in data[part]["read_at"]), part
    hashes = [prompt["sha256"] for prompt in data["prompts"].values() if "sha256" in prompt]
    assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("name", VIDEO + NATIVE)
def test_a_file_holds_at_least_forty_whole_turns_and_no_long_text_of_other_people(name):
    data = golden(name)
    turns = [(case["text"], case.get("video"), case.get("prefix")) for case in data["cases"]]
    assert len(turns) >= 40 and len(set(turns)) == len(turns)
    assert {case["outcome"] for case in data["cases"]} <= OUTCOMES
    assert all(len(text) <= LONGEST_TEXT for part in ("prompt", "prompts") for text in seen_texts(data[part]))


@pytest.mark.parametrize("name", VIDEO)
def test_a_case_about_a_video_tells_the_video_and_the_frames_that_came_back(name):
    data = golden(name)
    for case in data["cases"]:
        video = data["videos"][case["video"]]
        assert (case["frames"], case["fps"]) == (video["frames"], video["fps"])
        if case["outcome"] == "frames":
            assert all(0 <= number < case["frames"] for number in case["frames_returned"])
        assert (case["outcome"] == "text") == ("reply" in case)
    assert {"frames", "refused", "no call", "answer"} <= {case["outcome"] for case in data["cases"]}


@pytest.mark.parametrize("name", NATIVE)
def test_a_case_of_a_native_grammar_tells_the_calls_with_their_arguments(name):
    for case in golden(name)["cases"]:
        assert (case["outcome"] == "calls") == bool(case["calls"])
        assert all(isinstance(call["name"], str) and isinstance(call["arguments"], dict) for call in case["calls"])
        assert isinstance(case["content"], str) and case["prefix"] in golden(name)["prefix_ends"]


def compared(case, ours, outcome, theirs):
    """Whether both refuse, or both give the same frames."""
    if isinstance(ours, Failure):
        return outcome == "refused"
    return outcome == "frames" and list(ours) == theirs


def timeline(case):
    return Timeline(case["frames"], case["fps"], {})


def test_a_segment_has_the_frames_that_video_zoomer_takes():
    differ, count = {}, 0
    for case in golden("video_zoomer")["cases"]:
        if "segment" not in case or any(isinstance(second, str) for second in case["segment"]):
            continue  # not read, or not finite
        count += 1
        ours = VIDEO_ZOOMER.segment(timeline(case), *case["segment"], case["rate"], max_frames=16)
        if not compared(case, ours, case["outcome"], case.get("frames_returned")):
            assert isinstance(ours, Failure), case
            differ[case["kind"]] = ours.code
    assert count > 60 and differ == REFUSED_BY_US


def test_a_segment_has_the_frames_that_long_vt_takes():
    count = 0
    for case in golden("long_vt")["cases"]:
        for call in case.get("calls", []):
            arguments = call.get("arguments", {})
            if call["name"] != "crop_video" or not _is_readable(arguments):
                continue
            count += 1
            segment = arguments["start_time"], arguments["end_time"]
            ours = LONG_VT.segment(timeline(case), *segment, rate=None, max_frames=128)
            assert compared(case, ours, call["outcome"], call.get("frames_returned")), (case["kind"], segment, ours)
    assert count > 60


def _is_readable(arguments):
    numbers = isinstance(arguments, dict) and [arguments.get(key) for key in ("start_time", "end_time")]
    return (
        bool(numbers)
        and all(isinstance(number, int | float) for number in numbers)
        and arguments.get("video_path", "").endswith(("/a.mp4", "/b.mp4", "/c.mp4"))
    )


def test_a_range_has_the_frames_that_frame_thinker_takes():
    count = 0
    for case in golden("frame_thinker")["cases"]:
        found = re.search(r"<action>[^<]*?choose frames between\s+(\d+)\s+and\s+(\d+)", case["text"])
        if found is None or case["outcome"] not in ("frames", "refused"):
            continue
        count += 1
        first, last = int(found[1]), int(found[2])
        is_long = case["frames"] / case["fps"] > 300
        ours = FRAME_THINKER.range(first, last, timeline(case), 12 if is_long else 8, first_index=0)
        assert compared(case, ours, case["outcome"], case.get("frames_returned")), case
    assert count > 40


def test_a_time_has_the_number_that_frame_thinker_tells_as_long_as_it_is_in_the_video():
    count = 0
    for case in golden("frame_thinker")["cases"]:
        found = re.fullmatch(r"Frame number at time (\d+):(\d\d) is: (\d+)\.", case.get("reply", ""))
        if found is None:
            continue
        count += 1
        number = timeline(case).number_at(60 * int(found[1]) + int(found[2]))
        assert number == (int(found[3]) if int(found[3]) < case["frames"] else None)
    assert count > 10
