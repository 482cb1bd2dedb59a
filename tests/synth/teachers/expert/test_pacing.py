"""The rate limiter spreads requests, and an ordinary loop consumes asynchronous work."""

import asyncio

import pytest

from synth.teachers.expert.as_completed import as_completed
from synth.teachers.expert.pacing import RateLimiter


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 100.0

    async def sleep(self, seconds):
        self.now += seconds


def taken(amounts, per_minute=60.0, before=lambda pace: None):
    """When each of the amounts was taken, from 0."""
    time, times = Time(), []
    pace = RateLimiter(per_minute, clock=lambda: time.now, sleep=time.sleep)
    before(pace)

    async def take_all():
        for amount in amounts:
            await pace.take(amount)
            times.append(time.now - 100.0)

    asyncio.run(take_all())
    return times


def test_what_is_taken_is_spread_evenly_from_the_first_on():
    assert taken([1, 1, 1]) == [0.0, 1.0, 2.0]
    assert taken([10, 5, 1]) == [0.0, 10.0, 15.0]


def test_without_a_limit_nobody_waits():
    assert taken([1, 1000, 1], per_minute=None) == [0.0, 0.0, 0.0]


def test_what_is_given_back_need_not_be_waited_for_and_saves_nothing_up():
    def much_given_back(pace):
        pace.give_back(1000)

    assert taken([1, 1], before=much_given_back) == [0.0, 1.0]


def test_held_nobody_starts_even_without_a_limit():
    assert taken([1, 1], per_minute=None, before=lambda pace: pace.hold(7)) == [7.0, 7.0]


def test_arrivals_come_in_the_order_in_which_they_were_put_and_then_the_error():
    async def work(put):
        for number in range(5):
            await put(number)
        raise ValueError("broken")

    came = []
    with pytest.raises(ValueError, match="broken"):
        for number in as_completed(work, unread=2):
            came.append(number)
    assert came == [0, 1, 2, 3, 4]


def test_no_more_is_made_than_may_lie_unread_and_leaving_early_cancels_the_rest():
    made, ended = [], []

    async def work(put):
        try:
            for number in range(100):
                made.append(number)
                await put(number)
        finally:
            ended.append(True)

    coming = as_completed(work, unread=3)
    assert next(coming) == 0
    coming.close()
    assert len(made) <= 5 and ended == [True]
