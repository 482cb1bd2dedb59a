from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.evaluation.policies import (
    LEARNED_ZOOM,
    NO_ZOOM,
    ORACLE_ZOOM,
    RANDOM_ZOOM,
    WRONG_ZOOM,
    oracle_window,
    policy_named,
)
from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.samples import sample_set
from pixel_env.task import Evidence, Task
from pixel_env.types import Limits

TINY = dialect_named("tiny")
SET = sample_set("vstar-tiny", count=40)
DEFAULT, VIDEOS = dialect_named("default"), sample_set("mvbench", count=20)
SETTINGS = EpisodeSettings(TINY, Limits(2), SET.budgets)
CHAT = PlainChat(TINY)


def first_call(name, task, seed=0):
    [text] = policy_named(name, SETTINGS, CHAT, seed=seed).forced(task)
    action = parse(text, TINY)
    assert isinstance(action, CropImage)
    return action.box


def test_the_oracle_looks_at_the_evidence():
    for task in SET.tasks:
        assert first_call(ORACLE_ZOOM, task).contains(task.evidence[0].box)


def test_random_zoom_has_the_oracles_box_sizes_and_rarely_its_place():
    boxes = [(first_call(RANDOM_ZOOM, task), first_call(ORACLE_ZOOM, task)) for task in SET.tasks]
    assert all(abs(box.width - oracle.width) < 1e-9 and abs(box.height - oracle.height) < 1e-9 for box, oracle in boxes)
    assert sum(box == oracle for box, oracle in boxes) < 4
    columns = {round(box.x0 * 16) for box, _ in boxes}
    assert min(columns) <= 1 and max(columns) >= 11  # the whole picture, borders included


def test_random_places_depend_on_the_seed_and_the_task_alone():
    forward = [first_call(RANDOM_ZOOM, task) for task in SET.tasks]
    backward = [first_call(RANDOM_ZOOM, task) for task in reversed(SET.tasks)]
    assert forward == backward[::-1]
    assert forward != [first_call(RANDOM_ZOOM, task, seed=1) for task in SET.tasks]


def test_no_zoom_bans_the_token_that_opens_a_call_and_learned_zoom_forces_nothing():
    no_zoom, learned = (policy_named(name, SETTINGS, CHAT, seed=0) for name in (NO_ZOOM, LEARNED_ZOOM))
    assert no_zoom.banned_ids == CHAT.call_opening_ids() and no_zoom.forced is None
    assert learned.banned_ids == frozenset() and learned.forced is None


def test_a_forced_look_is_played_and_not_counted_as_sampled():
    policy = policy_named(ORACLE_ZOOM, SETTINGS, CHAT, seed=0)
    engine = ScriptedEngine(in_turn("<answer>1", "<answer>2"), CHAT)
    [played] = rollout(
        [SET.tasks[0]], engine, CHAT, settings=SETTINGS, sampling=Sampling(0.0), seed=0, forced=policy.forced
    )
    assert played.trajectory.valid_operations == 1 and played.trajectory.answer == "2"
    assert sum(played.sampled) == len(CHAT.encode("<answer>2"))


def test_a_task_without_evidence_is_refused_with_the_way_out():
    with pytest.raises(ConfigError, match="--policies no_zoom learned_zoom"):
        oracle_window(Task("mine", "Which digit?", ("7",)))


def first_looks(name, task, seed=0):
    """The frames that are selected, and the crop of the first of them."""
    settings = EpisodeSettings(DEFAULT, Limits(4), VIDEOS.budgets)
    calls = policy_named(name, settings, PlainChat(DEFAULT), seed=seed).forced(task)
    selected, crop = (parse(text, DEFAULT, [(84, 56)] * 32) for text in calls)
    assert isinstance(selected, SelectFrames) and isinstance(crop, CropImage) and crop.image == 16
    return selected.frames, crop.box


def test_of_a_video_the_oracle_selects_the_frames_of_the_evidence_and_random_zoom_as_many_others():
    same = 0
    for task in VIDEOS.tasks:
        (frames, box), (drawn, moved) = (first_looks(name, task) for name in (ORACLE_ZOOM, RANDOM_ZOOM))
        assert set(frames) == {evidence.image for evidence in task.evidence} and box.contains(task.evidence[0].box)
        assert len(set(drawn)) == len(drawn) == len(frames)
        assert (moved.width, moved.height) == pytest.approx((box.width, box.height), abs=0.01)
        assert (drawn, moved) == first_looks(RANDOM_ZOOM, task)
        same += drawn == frames
    assert same < 4 and drawn != first_looks(RANDOM_ZOOM, task, seed=1)[0]


def test_a_policy_plays_where_it_knows_where_to_look_and_its_dialect_can_say_it():
    random, learned = (policy_named(name, SETTINGS, CHAT, seed=0) for name in (RANDOM_ZOOM, LEARNED_ZOOM))
    bare, video = Task("mine", "Which digit?", ("7",)), VIDEOS.tasks[0]
    assert random.can_play(SET.tasks[0], TINY) and random.can_play(video, DEFAULT)
    assert not random.can_play(bare, DEFAULT) and not random.can_play(video, TINY)
    assert learned.can_play(bare, DEFAULT) and learned.can_play(video, TINY)


def test_an_unknown_policy_is_named_with_the_closest_one():
    with pytest.raises(UnknownNameError, match="oracle_zoom"):
        policy_named("oracle_zom", SETTINGS, CHAT, seed=0)


def test_wrong_zoom_misses_the_evidence_at_a_place_that_depends_on_the_seed_and_the_task_alone():
    windows = [first_call(WRONG_ZOOM, task) for task in SET.tasks]
    for task, window in zip(SET.tasks, windows, strict=True):
        assert all(window.iou(known.box) == 0.0 for known in task.evidence)
        assert (window.width, window.height) == (0.25, 0.25)
    assert windows == [first_call(WRONG_ZOOM, task) for task in reversed(SET.tasks)][::-1]
    assert windows != [first_call(WRONG_ZOOM, task, seed=1) for task in SET.tasks]


def test_where_a_dialect_pads_a_crop_the_wrong_look_misses_with_its_padding():
    released = dialect_named("released")
    settings = EpisodeSettings(released, Limits(4), SET.budgets)
    for task in SET.tasks:
        [text] = policy_named(WRONG_ZOOM, settings, PlainChat(released), seed=0).forced(task)
        action = parse(text, released)
        assert isinstance(action, CropImage)
        assert action.box.padded(released.edges.padding).iou(task.evidence[0].box) == 0.0


def test_of_a_video_wrong_zoom_selects_as_many_frames_without_evidence():
    settings = EpisodeSettings(DEFAULT, Limits(4), VIDEOS.budgets)
    for task in VIDEOS.tasks:
        [text] = policy_named(WRONG_ZOOM, settings, PlainChat(DEFAULT), seed=0).forced(task)
        evidence = {known.image for known in task.evidence}
        frames = set(parse(text, DEFAULT, [(84, 56)] * 32).frames)
        assert not frames & evidence and len(frames) == min(len(evidence), len(task.sources) - len(evidence))


def test_evidence_that_fills_the_picture_leaves_no_room_for_a_wrong_look():
    filled = replace(SET.tasks[0], evidence=(Evidence(0, Box(0.0, 0.0, 1.0, 1.0)),))
    with pytest.raises(ConfigError, match="wrong_zoom from --policies"):
        first_call(WRONG_ZOOM, filled)
