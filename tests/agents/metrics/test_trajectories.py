"""Figures on hand-made trajectories, checked against numbers worked out elsewhere."""

import math
from dataclasses import replace

import numpy as np
import pytest

from agents.metrics.clusters import mean_of_clusters, share
from agents.metrics.trajectories import (
    accuracy,
    call_advantage,
    calls,
    failures_by_code,
    paired_difference,
    rapr,
    stop_reasons,
    visual_tokens,
)
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Answer, Malformed, Prompt, Stop, Trajectory, Turn
from pixel_env.views import View, ViewKind

BOX = Box(0.0, 0.0, 0.5, 0.5)
LOOKED = Turn("look", CropImage(0, BOX), None, "", (View(PixelSource(), ViewKind.CROP, BOX),))
REFUSED = Turn("look", CropImage(9, BOX), Failure(FailureCode.NO_SUCH_IMAGE, "no"), "no")
BROKEN = Turn("loo", Malformed(FailureCode.CUT_OFF, "cut"), Failure(FailureCode.CUT_OFF, "cut"), "cut")


def played(task_id="q", reward=1.0, turns=(), category="", stop=Stop.ANSWERED):
    task = tiny_task(task_id, category=category)
    views = (View(PixelSource(), ViewKind.ORIGINAL),)
    return Trajectory(task, Prompt("", "?"), views, (*turns, Turn("7", Answer("7"), None, "")), stop, reward)


def rng():
    return np.random.default_rng(0)


def test_accuracy_is_the_mean_grade():
    assert accuracy([played(reward=1.0), played(reward=0.5), played(reward=0.0)]).value == 0.5


def test_a_paired_difference_compares_questions_with_themselves():
    before = [played(f"q{n}", reward=float(n % 10 == 0)) for n in range(200)]
    after = [played(f"q{n}", reward=float(n % 10 == 0 or n % 2)) for n in range(200)]
    estimate = paired_difference(after, before, rng=rng())
    assert estimate.value == pytest.approx(0.5)
    # The bootstrap's interval for a mean of 200 zeros and ones, half of each: 0.5 -+ 1.96 * 0.5 / sqrt(200).
    assert (estimate.low, estimate.high) == pytest.approx((0.43, 0.57), abs=0.01)
    assert estimate.n == 200
    same = paired_difference(before, before, rng=rng())
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert paired_difference(after, before, rng=rng()) == estimate


def clustered(task_id, reward, cluster, turns=()):
    one = played(task_id, reward, turns)
    return replace(one, task=replace(one.task, cluster=cluster))


def test_accuracy_and_differences_are_clustered_where_tasks_share_one():
    rows = [(f"q{n}", float(n < 12), str(n // 4)) for n in range(24)]
    after, before = [clustered(*row) for row in rows], [clustered(name, 0.0, cluster) for name, _, cluster in rows]
    grades, numbers = [reward for _, reward, _ in rows], [n // 4 for n in range(24)]
    assert accuracy(after) == share(grades, numbers) and accuracy(after).clusters == 6
    assert paired_difference(after, before, rng=rng()) == mean_of_clusters(grades, numbers)


def test_a_call_advantage_resamples_whole_clusters():
    rows = [
        clustered(f"q{n}", float((n // 4 < 5) == bool(calls_once)), str(n // 4), (LOOKED,) if calls_once else ())
        for n in range(40)
        for calls_once in (True, False)
    ]
    alone = [replace(one, task=replace(one.task, cluster="")) for one in rows]
    found, independent = call_advantage(rows, rng=rng())[""], call_advantage(alone, rng=rng())[""]
    assert found.value == independent.value == 0.0 and (found.n, found.clusters) == (40, 10)
    assert found.high - found.low > 1.5 * (independent.high - independent.low)


def test_a_paired_difference_of_other_questions_is_refused():
    with pytest.raises(ConfigError, match="'b' is on one side only"):
        paired_difference([played("a"), played("b")], [played("a")], rng=rng())


def test_rapr_counts_executed_operations_and_calls_count_all():
    trajectories = [played(turns=[LOOKED, LOOKED]), played(turns=[REFUSED]), played(turns=[BROKEN, LOOKED]), played()]
    assert rapr(trajectories) == 0.5
    assert calls(trajectories) == 5 / 4
    assert failures_by_code([*trajectories, played(turns=[REFUSED])]) == {"no_such_image": 2, "cut_off": 1}
    assert math.isnan(rapr([]))


def test_stop_reasons_leave_running_episodes_out():
    trajectories = [played(stop=Stop.TURNS), played(stop=Stop.ANSWERED), played(stop=Stop.TURNS), played(stop=None)]
    assert stop_reasons(trajectories) == {"turns": 2, "answered": 1}


def test_visual_tokens_follow_the_budgets():
    budgets = dialect_named("tiny").budgets  # originals 64x64, crops 128x128, one token per 16x16
    assert visual_tokens([played(), played(turns=[LOOKED])], budgets) == (16 + 16 + 64) / 2


def test_call_advantage_is_per_category_and_resamples_questions():
    trajectories = []
    for n in range(100):
        trajectories += [played(f"h{n}", float(n % 4 == 0), [LOOKED], "hard"), played(f"h{n}", 0.0, [REFUSED], "hard")]
        trajectories += [played(f"e{n}", 1.0, (), "easy")]
    advantage = call_advantage(trajectories, rng=rng())
    hard = advantage["hard"]
    assert hard.value == 0.25
    # 0.25 -+ 1.96 * sqrt(0.25 * 0.75 / 100); a refused call is not a call.
    assert (hard.low, hard.high) == pytest.approx((0.165, 0.335), abs=0.015)
    assert hard.n == 100
    assert math.isnan(advantage["easy"].value)
