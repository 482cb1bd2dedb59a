"""What is shown instead of what an operation brought: text, sizes, costs and later turns stay sensible."""

import json

import numpy as np
import pytest

from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.env import PixelEnv
from pixel_env.interventions import blank, random_position, unchanged, withheld
from pixel_env.media.cache import DecodeCache
from pixel_env.media.showing import show
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.rotate import Rotate
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.store import TrajectoryStore, read, row_of, trajectory_of, write_rollout
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Limits, Stop
from pixel_env.views import View, ViewKind
from tests.pixel_env.media.films import number_shown
from tests.pixel_env.operations.films import film_task

DEFAULT, RELEASED, TINY = DIALECTS["default"], DIALECTS["released"], DIALECTS["tiny"]
LARGE = PixelSource(1000, 700)
PART = Box(0.4, 0.3, 0.8, 0.75)
NATIVE = view_budgets((1, 10**6), (1, 10**6), (1, 10**6), (1, 10**6), factor=1)
"""Everything is shown pixel by pixel."""


def crop(box=PART, image=0, dialect=DEFAULT):
    return write(CropImage(image, box), dialect)


def frames(*numbers):
    return write(SelectFrames(numbers), DEFAULT)


def played(intervention, *texts, task=None, **options):
    env = PixelEnv([task or tiny_task(sources=(LARGE,))], intervention=intervention, **options)
    env.reset(seed=0)
    return env, [env.step(text) for text in texts]


def images(steps):
    return [image for observation, *_ in steps for image in observation["images"]]


def is_grey(image):
    return bool((image == 128).all())


def of_turns(env):
    return [view for turn in env.trajectory.turns for view in turn.views]


@pytest.mark.parametrize("dialect", ["default", "released", "tiny"])
@pytest.mark.parametrize("intervention", [blank, random_position(3)])
def test_the_text_and_the_shown_size_are_those_of_the_operation(dialect, intervention):
    dialect = DIALECTS[dialect]
    for box in (PART, Box(0.0, 0.0, 0.31, 0.97), Box(0.13, 0.6, 0.95, 0.99)):
        (_, [as_it_is]), (_, [changed]) = (
            played(one, crop(box, dialect=dialect), dialect=dialect) for one in (unchanged, intervention)
        )
        assert changed[0]["text"] == as_it_is[0]["text"]
        assert [i.shape for i in changed[0]["images"]] == [i.shape for i in as_it_is[0]["images"]]
        assert not np.array_equal(changed[0]["images"][0], as_it_is[0]["images"][0])


@pytest.mark.parametrize("dialect", [DEFAULT, RELEASED])
def test_a_blank_is_grey_and_so_is_a_crop_of_it_and_a_crop_of_the_question_s_image_later(dialect):
    texts = (crop(dialect=dialect), crop(image=1, dialect=dialect), crop(dialect=dialect))
    env, steps = played(blank, *texts, dialect=dialect, limits=Limits(5))
    assert len(images(steps)) == 3 and all(map(is_grey, images(steps)))
    assert of_turns(env)[0].box.contains(PART)  # where the model looked is kept
    assert len({view.source.key for view in of_turns(env)}) == 1  # a blank of a blank is that blank
    assert not is_grey(show(env.trajectory.prompt_views[0], env.budgets))


@pytest.mark.parametrize("intervention", [blank, random_position(0), withheld])
def test_a_trajectory_with_it_is_written_and_read_again(tmp_path, intervention):
    for number, (task, texts, dialect) in enumerate(
        [
            (tiny_task(sources=(LARGE,)), (crop(), crop(image=1), "\\boxed{7}"), DEFAULT),
            (tiny_task(sources=(LARGE,)), (crop(dialect=RELEASED), crop(image=1, dialect=RELEASED), "7"), RELEASED),
            (tiny_video_task(), (frames(3, 9), crop(image=17), "\\boxed{7}"), DEFAULT),
        ]
    ):
        env, _ = played(intervention, *texts, task=task, dialect=dialect)
        path = tmp_path / f"{number}.jsonl"
        write_rollout(env.trajectory, TrajectoryStore(path), images=tmp_path / "pictures", budgets=env.budgets)
        [row] = read(path)
        again = trajectory_of(json.loads(json.dumps(row)), task)
        assert again == env.trajectory and again.reward == 1.0
        shown = [show(view, env.budgets) for view in again.views]
        assert all(map(np.array_equal, shown, (show(view, env.budgets) for view in env.trajectory.views)))


def test_a_withheld_image_costs_none_and_does_not_exist_for_later_turns():
    env, steps = played(withheld, crop(), crop(image=1), crop(), limits=Limits(5, max_images=1))
    assert images(steps) == [] and env.trajectory.stop is None
    assert "image 2" in steps[0][0]["text"] and steps[1][4]["failure"].code == "no_such_image"
    assert env.trajectory.valid_operations == 2


@pytest.mark.parametrize("intervention", [blank, random_position(0)])
def test_an_image_that_is_shown_instead_counts_against_the_images(intervention):
    env, steps = played(intervention, crop(), crop(), limits=Limits(5, max_images=2))
    assert env.trajectory.stop is Stop.IMAGES and len(images(steps)) == 1
    assert env.trajectory.valid_operations == 1


def test_the_tiny_dialect_gets_an_observation_without_words_or_image():
    _, [step] = played(withheld, crop(dialect=TINY), dialect="tiny")
    assert step[0] == {"text": "", "images": ()} and step[4]["failure"] is None


def test_a_refused_operation_is_refused_as_ever():
    for intervention in (blank, withheld, random_position(0)):
        _, [step] = played(intervention, crop(image=7))
        assert step[4]["failure"].code == "no_such_image" and step[0]["images"] == ()


def test_a_random_position_depends_on_the_seed_the_task_and_the_turn():
    def boxes(seed, task_id="a"):
        env, _ = played(
            random_position(seed), crop(), crop(), task=tiny_task(task_id, sources=(LARGE,)), limits=Limits(5)
        )
        return [view.box for view in of_turns(env)]

    assert boxes(0) == boxes(0)
    assert len({*boxes(0), *boxes(1), *boxes(0, "b"), *boxes(0, "\ud800")}) == 8


def test_random_positions_are_spread_over_the_whole_image():
    boxes = []
    for number in range(300):
        env, [step] = played(random_position(0), crop(), task=tiny_task(str(number), sources=(LARGE,)), budgets=NATIVE)
        [view] = of_turns(env)
        [image] = images([step])
        left, top, right, bottom = view.box.pixels(1000, 700)
        assert (right - left, bottom - top) == (400, 315)
        assert tuple(image[0, 0, :2]) == (left % 256, top % 256)  # what the box says is what is shown
        boxes.append((left, top))
    for places, room in zip(zip(*boxes, strict=True), (600, 385), strict=True):
        assert min(places) < 0.03 * room and max(places) > 0.97 * room
        assert np.mean(places) == pytest.approx(room / 2, rel=0.1)


@pytest.mark.parametrize("dialect", [DEFAULT, RELEASED])
def test_a_crop_of_a_random_crop_lies_within_it(dialect):
    for number in range(30):
        task = tiny_task(str(number), sources=(LARGE,))
        texts = (crop(dialect=dialect), crop(image=1, dialect=dialect))
        env, _ = played(random_position(1), *texts, task=task, dialect=dialect, budgets=NATIVE)
        first, second = of_turns(env)
        assert Box(*(max(0.0, edge - 0.001) for edge in first.box.corners[:2]), 1.0, 1.0).contains(second.box)
        assert second.box.x1 <= first.box.x1 + 0.001 and second.box.y1 <= first.box.y1 + 0.001
        assert (second.via is not None) == (dialect is RELEASED) and second.via in (None, first)


def test_the_whole_image_stays_the_whole_image():
    env, _ = played(random_position(0), crop(Box(0.0, 0.0, 1.0, 1.0)))
    assert of_turns(env)[0].box == Box(0.0, 0.0, 1.0, 1.0)


def test_random_frames_are_as_many_others_in_the_order_of_time():
    drawn = set()
    for seed in range(40):
        env, [step] = played(random_position(seed), frames(9, 2, 2), task=tiny_video_task())
        shades = [int(image[0, 0, 2]) for image in images([step])]
        assert len(shades) == len(set(shades)) == 3 and shades == sorted(shades)
        assert {view.kind for view in of_turns(env)} == {ViewKind.SELECTED_FRAME}
        drawn.update(shades)
    assert drawn == set(range(16))


def test_instead_of_frames_that_the_overview_does_not_show_any_frames_of_the_file_are_shown(tmp_path):
    task, dialect = film_task(tmp_path), dialect_named("default+select_segment")
    call = write(SelectSegment(2.0, 2.4, 10.0), dialect)
    drawn = set()
    for seed in range(10):
        env, _ = played(random_position(seed), call, task=task, dialect=dialect, limits=Limits(4, 32))
        numbers = [number_shown(view.source.decode()) for view in of_turns(env)]
        assert len(set(numbers)) == 5 and numbers == sorted(numbers)
        drawn.update(numbers)
    assert len(drawn) > 16
    env, _ = played(blank, call, task=task, dialect=dialect, limits=Limits(4, 32))
    assert trajectory_of(row_of(env.trajectory), task) == env.trajectory


def test_more_frames_than_the_video_has_may_repeat():
    _, [step] = played(random_position(0), frames(0, 1, 0, 1), task=tiny_video_task(frames=2))
    assert len(images([step])) == 4


def test_blank_and_withheld_frames():
    _, [step] = played(blank, frames(1, 2), task=tiny_video_task())
    assert len(images([step])) == 2 and all(map(is_grey, images([step])))
    _, [step] = played(withheld, frames(1, 2), task=tiny_video_task())
    assert images([step]) == [] and "selected frames" in step[0]["text"]


def test_an_operation_on_a_source_that_can_no_longer_be_read_is_reported_to_the_model():
    def broken(look):
        return tuple(View(BrokenSource(), view.kind) for view in look.views)

    _, [step] = played(broken, crop())
    assert step[4]["failure"].code == "unreadable_source"


def test_blanks_of_many_sources_are_made_side_by_side():
    from concurrent.futures import ThreadPoolExecutor

    from pixel_env.media.sources import BlankSource

    cache = DecodeCache(10, decoders=1)  # so small that no source stays: a blank must not wait for another decoder
    sources = [BlankSource(PixelSource(40, 30, shade)) for shade in range(40)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(cache.get, sources, timeout=300))
    assert {image.size for image in made} == {(40, 30)}


def test_no_calls_are_changed_where_none_is_made():
    dialect = dialect_named("default:notool")
    env, [step] = played(blank, crop(), dialect=dialect)
    assert step[4]["failure"].code == "unknown_operation"


@pytest.mark.parametrize("name", ["default+rotate", "released+rotate"])
def test_after_a_rotation_a_random_crop_is_as_large_elsewhere_and_a_rotation_itself_stays(name):
    dialect = dialect_named(name)
    texts = [write(Rotate(0, 90), dialect), crop(image=1, dialect=dialect), write(Rotate(2, 180), dialect)]
    (_, as_it_is), (env, changed) = (
        played(one, *texts, dialect=dialect, limits=Limits(5)) for one in (unchanged, random_position(3))
    )
    assert [i.shape for i in images(changed)] == [i.shape for i in images(as_it_is)]
    assert np.array_equal(images(changed)[0], images(as_it_is)[0])  # a rotation has no other position
    assert not np.array_equal(images(changed)[1], images(as_it_is)[1])
    rotated, moved, _ = of_turns(env)
    assert rotated.from_source(moved.box) is not None


@pytest.mark.parametrize("name", ["default+rotate", "released+rotate"])
def test_a_rotated_blank_is_grey_and_of_the_rotated_size(name):
    dialect = dialect_named(name)
    texts = [write(Rotate(0, 90), dialect), crop(image=1, dialect=dialect)]
    (_, as_it_is), (_, changed) = (played(one, *texts, dialect=dialect, limits=Limits(4)) for one in (unchanged, blank))
    assert all(map(is_grey, images(changed)))
    assert [i.shape for i in images(changed)] == [i.shape for i in images(as_it_is)]
