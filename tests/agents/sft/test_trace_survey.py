import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.sft import placeholders
from agents.sft.collator import UnusableTrace, play
from agents.sft.placeholders import size_of_source, with_placeholders
from agents.sft.trace_survey import survey, tokens_of, write_refused
from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import MediaError
from pixel_env.media.sources import FileSource
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.registry import OPERATIONS
from pixel_env.samples import sample_set
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Answer, Limits
from tests.agents.planned_traces import SMALL, planned_traces, shown_small
from tests.agents.random_qwen import make_processor
from tests.pixel_env.operations.films import film_task, timed_task

DEFAULT = shown_small(dialect_named("default"))
ANSWER = TraceTurn("\\boxed{7}")


@pytest.fixture(scope="module")
def chats(tiny_processor):
    return {
        "default": Chat(tiny_processor, DEFAULT),
        "released": Chat(make_processor(), shown_small(dialect_named("released"))),
    }


def settings_of(chat, max_tokens=None):
    return EpisodeSettings(chat.dialect, Limits(8, 40, max_tokens), SMALL)


def looking_at(path, task_id="file"):
    call = write(CropImage(0, Box(0.2, 0.2, 0.7, 0.5)), DEFAULT)
    return Trace(tiny_task(task_id, sources=(FileSource(path),), evidence=()), (TraceTurn(call), ANSWER))


@pytest.mark.parametrize("name", ["default", "released"])
def test_a_trace_is_as_long_on_placeholders_as_on_its_pictures(chats, name):
    chat = chats[name]
    for trace in planned_traces(chat.dialect):
        assert tokens_of(trace, chat, settings_of(chat)) == len(play(trace, chat, settings_of(chat)).ids), trace.kind


DRAWN = {
    "default+rotate": ("rotate",),
    "default+flip": ("flip",),
    "default+enhance": ("enhance",),
    "vigorl": ("point_zoom",),
    "visionthink": ("resize",),
    "videozoomer": ("select_segment",),
    "framethinker": ("select_range", "frame_at_time"),
    "longvt": ("select_segment",),
}


def drawn_trace(name, operation, task, dialect):
    """A random call of the operation, and an answer."""
    is_video = task.media == "video"
    drawing = Drawing(np.random.default_rng(3), len(task.sources), len(task.sources) * is_video, 8.0 * is_video)
    drawn = OPERATIONS[operation].draw(drawing)
    call = write(drawn, dialect, *sizes_for(dialect, task.opening_views, SMALL))
    return Trace(task, (TraceTurn(call), TraceTurn(write(Answer("7"), dialect))))


@pytest.mark.parametrize(("name", "operation"), [(name, one) for name, some in DRAWN.items() for one in some])
def test_every_operation_and_the_labels_of_frames_are_as_long_on_placeholders(
    tiny_processor, tmp_path, name, operation
):
    dialect = shown_small(dialect_named(name))
    chat = Chat(tiny_processor, dialect)
    tasks = [timed_task(16, rate=2.0)]
    if operation.startswith(("select", "frame")):  # the frames of a file have numbers and times of their own
        tasks.append(film_task(tmp_path))
    for task in tasks:
        trace = drawn_trace(name, operation, task, dialect)
        played = play(trace, chat, settings_of(chat))
        assert played.rollout.trajectory.valid_operations == 1
        assert tokens_of(trace, chat, settings_of(chat)) == len(played.ids)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_the_size_of_a_file_is_that_of_its_upright_picture_and_no_pixel_is_decoded(tmp_path, suffix, orientation):
    path = tmp_path / f"picture{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(0).integers(0, 256, (300, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    decoded = FileSource(path).decode().size
    if suffix != ".webp":  # whose reader wants the whole file
        path.write_bytes(path.read_bytes()[:2000])
    assert size_of_source(FileSource(path)) == decoded


@pytest.mark.parametrize("name", ["vstar", "tallyqa", "infographics", "mvbench"])
def test_composed_pictures_have_the_size_that_they_are_rendered_at(name):
    for task in sample_set(name, split="train", count=2).tasks:
        assert [source.decode().size for source in with_placeholders(task).sources] == [
            source.decode().size for source in task.sources
        ]


def test_traces_that_cannot_be_trained_on_are_named_with_the_reason_and_counted(chats, tmp_path):
    Image.new("RGB", (400, 300)).save(tmp_path / "good.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    good = looking_at(tmp_path / "good.png", "good")
    long = Trace(replace(good.task, task_id="long"), (TraceTurn("word " * 400 + ANSWER.text),))
    unended = Trace(replace(good.task, task_id="unended"), good.turns[:1])
    missing = looking_at(tmp_path / "missing.png", "missing")
    traces = [good, long, missing, looking_at(tmp_path / "broken.png", "broken"), unended, good]
    chat = chats["default"]
    length = len(play(good, chat, settings_of(chat)).ids)
    found = survey(traces, chat, settings_of(chat, length))
    assert (found.indices, found.tokens) == ((0, 5), (length, length))
    assert found.refused == {"too_long": 1, "unreadable_picture": 2, "unplayable": 1}
    assert [(one.place, one.task_id) for one in found.refusals] == [
        (1, "long"), (2, "missing"), (3, "broken"), (4, "unended"),
    ]  # fmt: skip
    told = found.summary()
    assert "4 of 6 traces" in told and "unreadable_picture: 2 (missing, broken)" in told and "missing.png" in told
    assert f"{length} are allowed" in told
    write_refused(tmp_path / "refused_traces.jsonl", found.refusals)
    rows = [json.loads(line) for line in (tmp_path / "refused_traces.jsonl").read_text().splitlines()]
    assert [row["fault"] for row in rows] == ["too_long", "unreadable_picture", "unreadable_picture", "unplayable"]


def test_a_run_that_refuses_nothing_leaves_no_file_of_refused_traces_behind(chats, tmp_path):
    chat, path = chats["default"], tmp_path / "run" / "refused_traces.jsonl"
    write_refused(path, survey([looking_at(tmp_path / "missing.png")], chat, settings_of(chat)).refusals)
    assert json.loads(path.read_text())["fault"] == "unreadable_picture"
    write_refused(path, ())
    assert not path.exists()
    write_refused(path, ())


def test_the_longest_trace_that_is_allowed_is_trained_whole_and_one_token_more_is_refused(chats):
    chat = chats["default"]
    trace = planned_traces(chat.dialect)[2]
    length = len(play(trace, chat, settings_of(chat)).ids)
    assert len(play(trace, chat, settings_of(chat, length)).ids) == length
    with pytest.raises(UnusableTrace, match=f"has {length} tokens, images included, and {length - 1} are allowed"):
        play(trace, chat, settings_of(chat, length - 1))


def test_a_survey_of_files_decodes_none(chats, tmp_path, monkeypatch):
    Image.new("RGB", (400, 300)).save(tmp_path / "good.png")

    def decode(source):
        raise AssertionError("decoded")

    monkeypatch.setattr(FileSource, "decode", decode)
    assert survey([looking_at(tmp_path / "good.png")], chats["default"], settings_of(chats["default"])).indices == (0,)


def test_a_missing_picture_is_told_of_by_its_path(tmp_path):
    with pytest.raises(MediaError, match=r"missing\.png: No such file"):
        size_of_source(FileSource(tmp_path / "missing.png"))
    assert placeholders.PlaceholderSource(3, 2).decode().resize((8, 4)).size == (8, 4)
    assert size_of_source(PixelSource(30, 20)) == (30, 20)


def test_a_trace_without_a_trained_turn_is_refused_by_name_and_counted(chats):
    chat = chats["default"]
    untrained = Trace(tiny_task("untrained"), (TraceTurn("\\boxed{7}", train=False),))
    found = survey([Trace(tiny_task("trained"), (ANSWER,)), untrained], chat, settings_of(chat))
    assert found.indices == (0,) and found.refused == {"nothing_trained": 1}
    assert found.refusals[0].task_id == "untrained" and '"train"' in found.refusals[0].message
