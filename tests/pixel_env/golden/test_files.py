"""The golden values of other image reasoners: every file is complete and says where each value comes from.

Depends on the data beside it; independent of the library. README.md explains the fields.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

FILES = {
    name: json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    for name in (
        "adaptive_cof",
        "deepeyes",
        "deepeyes_training",
        "mini_o3",
        "pixel_reasoner",
        "qwen3_vl",
        "sensenova_mars",
        "sensenova_mars_trainer",
        "vigorl",
        "visionthink",
        "vt_visualreasoner",
    )
}
SIZES = [[2246, 1582], [640, 480], [4032, 3024]]
HEAD = {
    *("peer", "checkpoints", "repository", "commit", "file", "ran", "command", "functions", "wire", "unit", "images"),
    *("images_note", "resampling", "prompt", "prompts", "limits", "sampling", "stop", "pixel_budget", "answer"),
    *("published", "notes", "cases"),
}
OUTCOMES = {"crop", "blank image", "whole image", "frames", "refused", "no call", "answer", "fault"}
BRINGS_AN_IMAGE = {"crop", "blank image", "whole image", "frames"}
KINDS = {  # what every peer was asked
    *("plain", "extra_label", "image_index", "wrong_tool", "key_parameters", "bare_arguments", "two_calls"),
    *("two_objects_in_one_tag", "call_then_answer", "answer_then_call", "draft_in_think", "draft_in_think_then_answer"),
    *("tag_named_in_think_then_answer", "tail_after_call", "no_closing_tag", "no_opening_tag", "no_tags"),
    *("single_quotes", "trailing_comma", "missing_brace", "fence_in_tags", "pretty_printed", "answer", "plain_text"),
}
KINDS_OF_REGIONS = {  # and every peer that cuts a region
    *("overhang_1_percent", "overhang_5_percent", "overhang_30_percent", "outside", "negative", "to_the_border"),
    *("odd_fractions", "not_a_number", "infinity", "digits_as_text", "floats", "missing_box", "crop_of_a_crop"),
}
KINDS_OF_BOXES = {  # and every peer that cuts a box
    *("tiny", "inverted", "empty", "whole_image", "very_long", "very_tall", "three_numbers", "five_numbers"),
}
NO_TOOL_NAME = {"mini_o3": {"wrong_tool", "key_parameters", "bare_arguments"}}  # its call is the bare arguments
BOXES = sorted(set(FILES) - {"visionthink", "vigorl"})


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_whose_values_they_are_and_how_they_were_computed(name):
    document = FILES[name]
    assert document.keys() >= HEAD, sorted(HEAD - document.keys())
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", document["repository"]) and re.fullmatch("[0-9a-f]{40}", document["commit"])
    assert document["ran"] is True and document["functions"] and "Pillow" in document["command"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_three_images_with_the_size_at_which_the_model_sees_them(name):
    images = FILES[name]["images"]
    assert [image["size"] for image in images] == SIZES
    assert all(len(image[key]) == 2 and min(image[key]) >= 28 for image in images for key in ("prepared", "shown"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_forty_texts_and_more_over_all_images_and_kinds(name):
    cases = FILES[name]["cases"]
    assert len({case["text"] for case in cases}) >= 40
    assert min(Counter(case["image"] for case in cases).values()) >= 13 and len(Counter(c["image"] for c in cases)) == 3
    wanted = KINDS | (KINDS_OF_REGIONS if name != "visionthink" else set())
    wanted = wanted | (KINDS_OF_BOXES if name in BOXES else set())
    assert not wanted - NO_TOOL_NAME.get(name, set()) - {case["kind"] for case in cases}


@pytest.mark.parametrize("name", FILES)
def test_a_case_tells_what_the_peer_did_and_what_of_it_was_run(name):
    for case in FILES[name]["cases"]:
        assert case["outcome"] in OUTCOMES and case["next"] in ("continues", "ends"), case
        ran, read = set(case.get("ran", [])), set(case.get("read", []))
        assert ran | read and ran <= {"parser", "geometry", "loop"} and read <= {"loop"}, case
        assert case["shown"] == FILES[name]["images"][case["image"]]["shown"], case
        assert case.get("message") or case["outcome"] not in ("refused", "fault"), case
        if "seen" in case:  # a stop string ended the turn
            assert case["text"].startswith(case["seen"]) and case["text"] != case["seen"], case


@pytest.mark.parametrize("name", FILES)
def test_an_image_that_comes_back_has_a_size_and_a_region_inside_the_source(name):
    for case in (case for case in FILES[name]["cases"] if case["outcome"] in BRINGS_AN_IMAGE):
        assert min(case["result_size"]) > 0, case
        assert min(case["kept_size"]) > 0 or case["outcome"] == "blank image", case
        if case["outcome"] in ("crop", "frames"):
            left, top, right, bottom = case.get("covered") or case["region"]
            width, height = SIZES[case["image"]]
            assert 0 <= left < right <= width and 0 <= top < bottom <= height, case
            assert case["of"] == 0 or case["of"] <= len(case["views"]), case


@pytest.mark.parametrize("name", FILES)
def test_prompts_of_others_are_named_by_their_hash_and_never_copied(name):
    document = FILES[name]

    def texts(value):
        if isinstance(value, dict):
            return [text for part in value.values() for text in texts(part)]
        return [text for part in value for text in texts(part)] if isinstance(value, list) else [value]

    def digests(value):
        if isinstance(value, dict):
            return ([value] if "sha256" in value else []) + [one for part in value.values() for one in digests(part)]
        return []

    parts = [part["text"] for part in document["prompt"]["crop"]["parts"] if isinstance(part.get("text"), str)]
    assert all(len(text) < 120 for text in parts)
    hashes = digests(document["prompts"])
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) and one["chars"] > 0 for one in hashes)
    assert not [text for text in texts(document["prompts"]) if isinstance(text, str) and len(text) > 300]
