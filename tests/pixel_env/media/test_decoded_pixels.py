"""The bound on decoded pixels over all threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixel_env.media.decoded_pixels import DecodedPixels


def most_held(bound, sizes, threads=20):
    """The most pixels that were held at a time while threads held pictures of these sizes."""
    held, most, lock = 0, 0, threading.Lock()

    def check(pixels):
        nonlocal held, most
        with bound.holding(pixels):
            with lock:
                held += pixels
                most = max(most, held)
            time.sleep(0.002)
            with lock:
                held -= pixels

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(check, sizes))
    assert held == 0
    return most


def test_twenty_threads_hold_no_more_than_the_bound_and_use_it():
    assert 60 < most_held(DecodedPixels(100), [30] * 100) <= 100


def test_a_picture_of_more_than_the_bound_is_held_alone():
    assert most_held(DecodedPixels(100), [1000, 5, 2000, 5, 5, 3000] * 4) <= 3000


def test_a_large_picture_is_not_passed_by_small_ones_for_ever():
    bound, order = DecodedPixels(10), []
    release = threading.Event()

    def hold(name, pixels):
        with bound.holding(pixels):
            order.append(name)
            release.wait(30)

    with ThreadPoolExecutor(4) as pool:
        for position, (name, pixels) in enumerate([("small", 5), ("large", 10), ("late", 5)]):
            pool.submit(hold, name, pixels)
            while not (name in order if position == 0 else len(bound._queue) == position):
                time.sleep(0.001)
        assert order == ["small"]
        release.set()
    assert order == ["small", "large", "late"]


def test_what_fails_gives_its_pixels_back():
    bound = DecodedPixels(10)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), bound.holding(10):
            raise ValueError("broken")
    assert most_held(bound, [10] * 5) == 10
