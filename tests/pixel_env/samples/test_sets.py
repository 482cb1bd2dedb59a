"""What every embedded sample set promises, whatever its style."""

import hashlib
import pickle
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from pixel_env.env import PixelEnv
from pixel_env.errors import UnknownNameError
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import show
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.samples import ALL_KINDS, SAMPLE_SETS, sample_set
from pixel_env.samples.embedded_tables import tables_of
from pixel_env.samples.infographics import HEADING
from pixel_env.samples.mvbench import FINE_DIGIT, FINE_DIGIT_SIDE, LARGE_DIGIT_SIDE
from pixel_env.samples.pages import HEADING_SIZE, PageSource
from pixel_env.samples.scenes import DIGIT_SIDE, PHOTOS, Scene, SceneSource, tiles_of
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets, ViewKind
from tests.pixel_env.oracle import looks_at_evidence, play_by_evidence
from tests.pixel_env.samples.cost import units_of_a_task

NEW_SETS = ("tallyqa", "infographics", "mvbench")
DIALECTS = ("default", "qwen2.5-vl", "qwen3-vl")


# ------------------------------------------------------------------------------------- looking is needed and suffices


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", NEW_SETS)
def test_who_looks_at_the_evidence_can_answer_every_question_within_the_default_limits(name: str, dialect: str) -> None:
    # The other dialects differ in grammar and pixels alone.
    task_set = sample_set(name, count=20 if dialect == "default" else 8)
    env = PixelEnv(task_set, dialect=dialect)
    for task in task_set.tasks:
        played = play_by_evidence(env, task)
        assert played.reward == 1.0 and played.is_over, task
        assert not played.trajectory.failures
        assert played.trajectory.valid_operations == len(looks_at_evidence(task))
        if dialect == "default":
            assert max(_glyph_height(task, view) for view in played.trajectory.views) >= 8.0


@pytest.mark.parametrize("name", NEW_SETS)
def test_a_wrong_answer_to_the_same_question_is_graded_0(name: str) -> None:
    task_set = sample_set(name, count=10)
    env = PixelEnv(task_set)
    for task in task_set.tasks:
        right = task.answers[0]
        wrong = next(option for option in task.options if option != right) if task.options else "nothing of 99 kinds"
        assert play_by_evidence(env, task, answer=wrong).reward == 0.0


@pytest.mark.parametrize("name", NEW_SETS)
def test_what_has_to_be_read_is_at_most_2_2_pixels_high_in_the_overview(name: str) -> None:
    task_set = sample_set(name, count=40)
    for task in task_set.tasks:
        if task.needs_looking:
            assert max(_glyph_height(task, view) for view in task.opening_views) <= 2.2


@pytest.mark.parametrize("name", NEW_SETS)
def test_most_questions_need_a_crop_and_some_do_not(name: str) -> None:
    needs = [task.needs_looking for task in sample_set(name, count=60).tasks]
    assert set(needs) == {True, False} and sum(map(bool, needs)) >= len(needs) / 2


def _glyph_height(task: Task, view: View) -> float:
    """Height in shown pixels of what has to be read (a digit, a capital letter of a heading)."""
    height = shown_size(view, sample_set(task.task_id.split("/")[0]).budgets)[1] / native_size(view)[1]
    source = task.sources[0]
    if isinstance(source, PageSource):
        return height * 0.7 * (HEADING_SIZE if task.category == HEADING else source.page.type_size)
    if task.media == "video":
        return height * (FINE_DIGIT_SIDE if task.category == FINE_DIGIT else LARGE_DIGIT_SIDE)
    return height * DIGIT_SIDE


# --------------------------------------------------------------------------------------------------- splits and seeds


def test_nothing_is_in_both_splits() -> None:
    assert not set(PHOTOS["train"]) & set(PHOTOS["test"])
    assert not set(tiles_of("train")) & set(tiles_of("test"))
    assert not {table.title for table in tables_of("train")} & {table.title for table in tables_of("test")}
    assert not {table.rows for table in tables_of("train")} & {table.rows for table in tables_of("test")}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_a_task_is_made_of_what_belongs_to_its_split(name: str, split) -> None:
    titles = {table.title for table in tables_of(split)}
    tiles = set(tiles_of(split))
    for task in islice(sample_set(name, split=split).tasks, 50):
        for scene in _scenes(task):
            assert scene.photo in PHOTOS[split]
            assert {card.tile for card in scene.cards} <= tiles
        for source in task.sources:
            if isinstance(source, PageSource):
                assert {panel.heading for panel in source.page.panels} <= titles


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_a_task_depends_on_its_number_split_and_seed_alone(name: str) -> None:
    tasks = sample_set(name, count=10).tasks
    assert tasks[7] == sample_set(name, count=1000).tasks[7] == tasks[5:][2] == tasks[-3]
    assert tasks[7].sources != sample_set(name, seed=1, count=10).tasks[7].sources
    assert tasks[7].sources != sample_set(name, split="train", count=10).tasks[7].sources
    with pytest.raises(IndexError, match="there are 10 items, got the index 10"):
        _ = tasks[10]


FIRST_TASKS = {
    "vstar": "c03513bcce390b7d fbfe0f30227c61a3",
    "vstar-tiny": "a2ed9d601d8d7bc0 324fdf6fafedd124",
    "tallyqa": "c52eaf9e522c4ee3 d7082f5b08de7dd9",
    "infographics": "e6a6a755aa8860ff 45676b679d3bf2d8",
    "mvbench": "67815f525904a8db d06d7b4f3917433b",
}
"""Hashes of the first 40 tasks of both splits, all kinds. Another hash is another task: the id needs a new version."""


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_the_tasks_of_a_version_stay_as_they_are(name: str) -> None:
    kinds = ALL_KINDS if name.startswith("vstar") else None
    for split, expected in zip(("train", "test"), FIRST_TASKS[name].split(), strict=True):
        tasks = sample_set(name, split=split, count=40, kinds=kinds).tasks
        assert hashlib.sha256("".join(repr(task) for task in tasks).encode()).hexdigest()[:16] == expected


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_task_ids_differ_and_name_set_split_and_kind(name: str) -> None:
    tasks = sample_set(name, count=30).tasks
    assert len({task.task_id for task in tasks}) == 30
    assert all(task.task_id.startswith(f"{name}/test/0/") and task.task_id.endswith(task.category) for task in tasks)


def test_an_unknown_kind_is_an_error_that_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="fine-digit"):
        sample_set("mvbench", kinds=["fine-digt"])


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_the_notice_says_that_a_score_is_none_on_the_benchmark(name: str) -> None:
    task_set = sample_set(name)
    assert f"embedded sample set sample:{name} (test)" in task_set.notice
    assert f"is no {SAMPLE_SETS[name].benchmark} score" in task_set.notice


# ------------------------------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_composing_renders_nothing_and_a_task_set_travels_between_processes(name: str, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        for source in (SceneSource, PageSource):
            patch.setattr(source, "decode", lambda self: pytest.fail("rendered while composing"))
        task_set = sample_set(name, count=5)
        tasks = list(task_set.tasks)
        again = pickle.loads(pickle.dumps(task_set))
    assert list(again.tasks) == tasks and again.budgets == task_set.budgets
    assert len(pickle.dumps(task_set)) < 20_000
    first = tasks[0].sources[0]
    assert np.array_equal(first.decode(), again.tasks[0].sources[0].decode())


@pytest.mark.parametrize("name", NEW_SETS)
def test_equal_recipes_have_equal_keys_and_others_do_not(name: str) -> None:
    keys = [source.key for task in sample_set(name, count=5).tasks for source in task.sources]
    again = [source.key for task in sample_set(name, count=5).tasks for source in task.sources]
    assert keys == again and len(set(keys)) > len(keys) // 2


@pytest.mark.parametrize(
    ("name", "tasks", "most_units"), [("tallyqa", 3, 6), ("infographics", 3, 20), ("mvbench", 1, 20)]
)
def test_a_task_is_composed_and_its_overview_rendered_at_the_cost_of_a_few_pictures(
    name: str, tasks: int, most_units: float
) -> None:
    def show_task(task: Task, budgets: ViewBudgets) -> None:
        for view in task.opening_views:
            show(view, budgets)

    assert units_of_a_task(name, show_task, tasks) < most_units
    assert CACHE.kept_bytes <= CACHE.max_bytes


def _scenes(task: Task) -> Iterator[Scene]:
    return (source.scene for source in task.sources if isinstance(source, SceneSource))


def test_a_selected_frame_and_a_crop_of_it_show_more_of_the_source_than_the_video_did() -> None:
    task_set = sample_set("mvbench", count=1)
    frame = task_set.tasks[0].sources[3]
    small, large = (
        shown_size(View(frame, kind), task_set.budgets) for kind in (ViewKind.VIDEO_FRAME, ViewKind.SELECTED_FRAME)
    )
    assert small == (84, 56) and large == (336, 224)
    assert native_size(View(frame, ViewKind.SELECTED_FRAME)) == (1344, 896)
