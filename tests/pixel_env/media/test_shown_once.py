"""Shown images: made once, shared by everybody, read-only, within bounds; counted in decodes and resizes."""

import gc
import os
import pickle
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from pixel_env.actions import sizes_for, write
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError
from pixel_env.media.bounded_cache import BoundedCache
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import SHOWN, show
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from pixel_env.testing import PixelSource
from pixel_env.types import Limits
from pixel_env.views import PixelBudget, View, ViewBudgets, ViewKind

SMALL = PixelBudget(28 * 28, 40 * 28 * 28)
BUDGETS = ViewBudgets(SMALL, SMALL, SMALL, SMALL)
DECODED: Counter[str] = Counter()


@dataclass(frozen=True)
class Counted(PixelSource):
    """A source whose decodes are counted."""

    width: int = 640
    height: int = 480

    def decode(self):
        DECODED[self.key] += 1
        return super().decode()


@pytest.fixture(autouse=True)
def empty_caches():
    for forget in (CACHE.forget, SHOWN.forget, DECODED.clear):
        forget()


@pytest.fixture
def resized(monkeypatch):
    """The sizes that images were resized to, in order."""
    sizes, resize = [], Image.Image.resize

    def counted(image, size, *arguments, **options):
        sizes.append(size)
        return resize(image, size, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", counted)
    return sizes


def whole(shade=0):
    return View(Counted(shade=shade), ViewKind.ORIGINAL)


def opened(dialect, source, **limits):
    return PixelEnv([Task("one", "?", ("7",), (source,))], dialect=dialect, limits=Limits(**limits), share_images=True)


# ------------------------------------------------------------------------------------------------ work that is done


def test_resets_of_a_seen_picture_neither_decode_nor_resize_even_where_the_decoded_one_was_dropped(
    resized, monkeypatch
):
    monkeypatch.setattr(CACHE, "max_bytes", 0)
    first = opened("default", Counted(shade=1)).reset(seed=0)[0]["images"][0]
    CACHE.get(Counted(shade=2))  # in its place
    for _ in range(8):
        observation, _ = opened("default", Counted(shade=1)).reset(seed=0)
        assert observation["images"][0] is first
    assert {Counted(shade=1).key: 1, Counted(shade=2).key: 1} == DECODED and len(resized) == 1


@pytest.mark.parametrize("name", [name for name, row in DIALECTS.items() if "crop_image" in row.operations])
def test_a_crop_resizes_itself_alone_in_every_dialect(name, resized):
    dialect = DIALECTS[name]
    env = opened(dialect, Counted(width=1500, height=1200), max_turns=9, max_images=9)
    env.reset(seed=0)
    opening = len(resized)
    views = list(env.trajectory.views)
    for number in range(4):
        box = Box(0.1 + number / 50, 0.2, 0.5 + number / 50, 0.6)
        env.step(write(CropImage(0, box), dialect, *sizes_for(dialect, views, env.budgets)))
        assert env.trajectory.turns[-1].failure is None
        views = list(env.trajectory.views)
    steps = sum(len(view.chain) for view in views[1:])  # a cut each, and where the dialect magnifies, a resize
    assert opening <= 1 and len(resized) <= opening + steps and sum(DECODED.values()) == 1


def test_a_crop_of_a_crop_of_what_was_shown_makes_no_view_again(resized):
    outer = whole().cut(Box(0.1, 0.1, 0.9, 0.9), of_shown=True, rounding="nearest")
    for number in range(5):
        show(outer.cut(Box(0.1, 0.1, 0.5 + number / 20, 0.6), of_shown=True, rounding="nearest"), BUDGETS)
    assert len(resized) <= 1 + 1 + 5  # the whole, the outer crop, and each inner one that is not shown as it is


def test_an_overview_outlasts_any_number_of_crops(monkeypatch, resized):
    overview = show(whole(), BUDGETS)
    monkeypatch.setattr(SHOWN, "max_bytes", overview.nbytes)
    del overview
    for number in range(30):
        show(View(whole().source, ViewKind.CROP, Box(0, 0, 0.3 + number / 60, 0.4)), BUDGETS)
    crops = len(resized)
    show(whole(), BUDGETS)
    assert len(resized) == crops and SHOWN.kept_bytes <= SHOWN.max_bytes


def test_sixteen_frames_of_a_4k_film_fit():
    budgets = DIALECTS["default"].budgets
    frames = [View(Counted(3840, 2160, shade), ViewKind.VIDEO_FRAME) for shade in range(2)]
    assert 16 * show(frames[0], budgets).nbytes <= SHOWN.max_bytes
    assert show(frames[0], budgets) is show(frames[0], budgets) is not show(frames[1], budgets)


# ------------------------------------------------------------------------------------------------ whose pixels they are


def test_what_is_shown_is_shared_and_cannot_be_written_into():
    for view in (whole(), View(whole().source, ViewKind.CROP, Box(0, 0, 0.5, 0.5)), whole().magnified(1.5)):
        shown = show(view, BUDGETS)
        assert show(view, BUDGETS) is shown
        with pytest.raises(ValueError, match="read-only"):
            shown[0, 0] = 1
        copied = shown.copy()
        copied[:] = 0
        assert show(view, BUDGETS).any()


@pytest.mark.parametrize("shares", [False, True])
def test_observations_are_copies_unless_the_environment_is_told_to_share(shares):
    env = PixelEnv("sample:vstar-tiny", share_images=shares)
    first, again = (env.reset(options={"task_id": env.task_set.tasks[0].task_id})[0]["images"][0] for _ in range(2))
    assert np.array_equal(first, again) and np.shares_memory(first, again) is shares
    assert first.flags.writeable is not shares


def test_a_decoded_picture_that_is_shown_at_its_own_size_is_not_written_through():
    exact = replace(BUDGETS, original=PixelBudget(1, 10**7, factor=1))
    shown = show(whole(), exact)
    assert shown.shape == (480, 640, 3) and not shown.flags.writeable
    assert np.array_equal(shown, np.asarray(CACHE.get(whole().source)))


def test_other_budgets_show_other_pixels_and_the_budget_of_another_kind_changes_nothing():
    shown, large = show(whole(), BUDGETS), PixelBudget(28 * 28, 200 * 28 * 28)
    assert show(whole(), replace(BUDGETS, crop=large)) is shown
    assert show(whole(), replace(BUDGETS, original=large)).size > shown.size
    through = View(whole().source, ViewKind.CROP, Box(0, 0, 0.5, 0.5), via=whole())
    assert show(through, replace(BUDGETS, original=large)).size > show(through, BUDGETS).size


def test_a_crop_is_shared_while_it_is_held_and_freed_after():
    view = View(whole().source, ViewKind.CROP, Box(0, 0, 0.5, 0.5))
    first = show(view, BUDGETS)
    assert show(view, BUDGETS) is first and SHOWN.kept_bytes == 0
    name = id(first)
    kept = first.copy()
    del first
    gc.collect()
    blocker = [np.empty(1) for _ in range(50)]  # so that the array's place is not simply used again
    again = show(view, BUDGETS)
    assert np.array_equal(again, kept) and (id(again) != name or blocker)


@pytest.mark.parametrize("rounding", ["outward", "nearest", "down", "up", "inward"])
def test_the_pixels_are_those_of_plain_pillow_whether_or_not_a_view_was_made_before(rounding):
    outer = Box(0.07, 0.11, 0.83, 0.79)
    views = [whole(), whole().cut(outer, rounding=rounding), whole().cut(outer, of_shown=True, rounding=rounding)]
    views.append(views[-1].cut(Box(0.2, 0.3, 0.7, 0.9), of_shown=True, rounding=rounding))
    views.append(views[-1].magnified(1.7))

    def pixels(view):
        image = view.source.decode() if view.via is None else Image.fromarray(pixels(view.via))
        for step in view.chain:
            image = step.apply(image)
        size = show(view, BUDGETS).shape[1::-1]
        return np.array(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))

    for view in views:
        made, again = show(view, BUDGETS), show(view, BUDGETS)
        SHOWN.forget()
        assert np.array_equal(made, pixels(view)) and np.array_equal(show(view, BUDGETS), again)


def test_an_environment_can_be_pickled_in_the_middle_of_an_episode_and_holds_no_pixels():
    env = opened("released", PixelSource(640, 480))
    env.reset(seed=0)
    data = pickle.dumps(env)
    assert len(data) < 640 * 480
    again = pickle.loads(data)
    box = write(CropImage(0, Box(0, 0, 0.5, 0.5)), env.dialect, [(640, 480)], [(640, 480)])
    assert again.step(box)[0]["images"][0] is env.step(box)[0]["images"][0]


# ------------------------------------------------------------------------------------------------ threads and processes


def test_twenty_threads_on_one_picture_decode_it_once_and_resize_each_view_once(resized):
    views = [whole(), *(View(whole().source, ViewKind.CROP, Box(0, 0, 0.2 + n / 10, 0.5)) for n in range(3))]
    with ThreadPoolExecutor(20) as pool:
        shown = list(pool.map(lambda number: show(views[number % 4], BUDGETS), range(200)))
    assert sum(DECODED.values()) == 1 and len(resized) == 4
    assert all(image is shown[number % 4] for number, image in enumerate(shown))


def test_sixty_threads_on_many_pictures_show_the_right_pixels_within_the_bounds(monkeypatch):
    expected = {shade: show(whole(shade), BUDGETS).copy() for shade in range(12)}
    one = expected[0].nbytes
    monkeypatch.setattr(SHOWN, "max_bytes", 4 * one)
    monkeypatch.setattr(CACHE, "max_bytes", 3 * 640 * 480 * 4)
    CACHE.forget()
    SHOWN.forget()

    def is_right(number):
        shade = number * 7 % 12
        return bool(np.array_equal(show(whole(shade), BUDGETS), expected[shade]))

    with ThreadPoolExecutor(60) as pool:
        assert all(pool.map(is_right, range(600)))
    assert SHOWN.kept_bytes <= 4 * one and CACHE.kept_bytes <= 3 * 640 * 480 * 4


def test_a_child_process_does_not_wait_for_a_thread_of_its_parent():
    show(whole(), BUDGETS)
    locked, done = threading.Event(), threading.Event()

    def hold():
        with SHOWN._lock, CACHE._lock:
            locked.set()
            done.wait(timeout=60)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(timeout=60)
    child = os.fork()
    if child == 0:
        os._exit(0 if show(whole(), BUDGETS).any() and DECODED.total() == 2 else 1)
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# ---------------------------------------------------------------------------------------------------- the cache itself


def cached(max_bytes):
    return BoundedCache(max_bytes, lambda value: value.nbytes)


def test_the_least_recently_used_values_are_dropped_and_the_last_one_stays_however_large():
    cache, made = cached(30), Counter()

    def get(key, size=10, **options):
        def make():
            made[key] += 1
            return np.zeros(size, np.uint8)

        return cache.get(key, make, **options).size

    for key in "abcadab":
        get(key)  # d takes the place of b
    assert made == {"a": 1, "b": 2, "c": 1, "d": 1} and cache.kept_bytes == 30
    get("huge", 100)
    assert cache.kept_bytes == 100
    get("seldom", keep=False)
    get("huge")
    assert made["huge"] == 1 and cache.kept_bytes == 100


def test_a_value_that_is_held_is_kept_from_the_first_time_that_it_should_be():
    cache = cached(100)
    held = cache.get("a", lambda: np.zeros(10), keep=False)
    assert cache.kept_bytes == 0
    assert cache.get("a", lambda: pytest.fail("made again")) is held and cache.kept_bytes == 80


def test_a_value_that_could_not_be_made_is_tried_again_by_those_that_wait():
    cache, tries = cached(100), []

    def make():
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not there yet")
        return np.zeros(3)

    def get(_):
        try:
            return cache.get("late", make)
        except OSError:
            return None

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(get, range(8)))
    assert len(tries) == 3 and sum(value is None for value in found) == 2


def test_the_whole_of_a_source_is_named_once_however_it_is_requested():
    assert View(whole().source, ViewKind.ORIGINAL, FULL) == whole()
    assert show(View(whole().source, ViewKind.RESIZED), replace(BUDGETS, resized=SMALL)) is show(whole(), BUDGETS)


def test_a_step_that_cannot_be_hashed_is_an_error_that_says_how_to_write_it():
    @dataclass  # not frozen
    class Darker:
        def apply(self, image):
            return image.point(lambda value: value // 2)

        def result_size(self, width, height):
            return width, height

    with pytest.raises(ConfigError, match=r"Darker cannot be hashed\. Make it a frozen dataclass"):
        show(View(Counted(), ViewKind.CROP, steps=(Darker(),)), BUDGETS)
