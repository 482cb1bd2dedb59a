from collections import Counter

import pytest

from pixel_env.errors import ConfigError, TaskError
from pixel_env.tasks import load_tasks
from synth.plans.mix import PAPER, Mix, cell_counts, counts, draw_plans, tally
from synth.plans.plan import PlanKind
from synth.plans.planning import NoRoom
from synth.text_only.tasks import text_tasks

SINGLE, ONCE, TWICE, ZOOM, RESELECT, TEXT = PlanKind
IMAGES_ONLY = Mix(video=0, text=0)


def seeds(count):
    """Tasks of every medium, in no order."""
    sets = [load_tasks(f"sample:{name}", split="train", count=count) for name in ("vstar", "tallyqa", "mvbench")]
    return [task for task_set in sets for task in task_set.tasks] + list(text_tasks(count))


SEEDS = seeds(200)


def test_the_default_mix_is_the_papers():
    assert cell_counts(PAPER, 7500) == {
        ("image", SINGLE): 1320,
        ("image", ONCE): 880,
        ("image", TWICE): 880,
        ("image", ZOOM): 1320,
        ("video", SINGLE): 990,
        ("video", RESELECT): 110,
        ("text", TEXT): 2000,
    }
    assert counts(PAPER, 7500) == {SINGLE: 2310, ONCE: 880, TWICE: 880, ZOOM: 1320, RESELECT: 110, TEXT: 2000}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 99, 101, 7499, 123457])
def test_counts_add_up_and_are_within_one_of_each_share(count):
    found = cell_counts(PAPER, count)
    assert sum(found.values()) == count
    assert all(abs(found[cell] - share * count) < 1 for cell, share in PAPER.shares.items())


def test_the_largest_remainder_gets_the_rest():
    # 30, 20, 20 and 30 per cent of 9: 2.7, 1.8, 1.8 and 2.7
    assert counts(IMAGES_ONLY, 9) == {SINGLE: 3, ONCE: 2, TWICE: 2, ZOOM: 2}


def test_media_and_kinds_are_configurable_and_a_share_of_nothing_is_left_out():
    mix = Mix(image=1, video=1, text=0, image_kinds={ONCE: 3, TWICE: 1}, video_kinds={RESELECT: 0.5})
    assert cell_counts(mix, 80) == {("image", ONCE): 30, ("image", TWICE): 10, ("video", RESELECT): 40}


def test_a_mix_that_is_none_says_what_it_may_hold():
    with pytest.raises(ConfigError, match=r"image_kinds has .*reselect.*known kinds"):
        Mix(image_kinds={RESELECT: 1})
    with pytest.raises(ConfigError, match="at least 0, and not all of them 0"):
        Mix(image=0, video=0, text=0)
    with pytest.raises(ConfigError, match="must be at least 0"):
        Mix(image=-1)


def test_drawn_plans_meet_the_mix_exactly_and_use_no_task_twice():
    for count in (1, 50, 149):
        drawn = draw_plans(SEEDS, PAPER, count, seed=0)
        assert tally(drawn.plans) == {cell: number for cell, number in cell_counts(PAPER, count).items() if number}
        assert len({plan.task.task_id for plan in drawn.plans}) == count


def test_tasks_without_room_are_passed_over_and_counted():
    refused = draw_plans(SEEDS, IMAGES_ONLY, 100, seed=0).supply.refused
    assert refused[TWICE, NoRoom.TOO_MANY_LOOKS] > 10
    assert sum(count for (_, why), count in refused.items() if why is NoRoom.OVERVIEW_SUFFICES) > 10


def test_the_same_seed_gives_the_same_plans_and_another_one_others():
    first, again, other = (draw_plans(SEEDS, PAPER, 60, seed).plans for seed in (1, 1, 2))
    assert first == again != other


def test_kinds_are_mixed_along_the_way_and_not_in_blocks():
    plans = draw_plans(SEEDS, IMAGES_ONLY, 100, seed=0).plans
    assert min(Counter(plan.kind for plan in plans[:50]).values()) >= 4


def test_a_kind_is_not_bound_to_the_tasks_that_other_kinds_have_no_room_for():
    """Counting tasks have no room for two mistakes; single passes must not be about them alone."""
    plans = draw_plans(SEEDS, IMAGES_ONLY, 80, seed=0).plans
    sets = Counter(plan.task.task_id.split("/")[0] for plan in plans if plan.kind is SINGLE)
    assert min(sets["vstar"], sets["tallyqa"]) >= 6


def test_tasks_that_were_passed_over_serve_other_kinds_before_the_supply_ends():
    tasks = load_tasks("sample:tallyqa", split="train", count=60).tasks
    mix = Mix(video=0, text=0, image_kinds={TWICE: 1, SINGLE: 14})
    assert len(draw_plans(tasks, mix, 45, seed=0).plans) == 45  # all that the overview does not answer


def test_a_supply_gives_more_plans_of_a_kind_on_tasks_that_no_plan_has_used():
    drawn = draw_plans(SEEDS, PAPER, 60, seed=0)
    more = [drawn.supply.take(("image", ONCE), 60 + place) for place in range(10)]
    assert {plan.kind for plan in more} == {ONCE}
    assert len({plan.task.task_id for plan in (*drawn.plans, *more)}) == 70


def test_too_few_tasks_are_reported_with_the_reasons_and_the_way_out():
    with pytest.raises(
        TaskError,
        match=r"another recrop_twice trace \(image\).*too_many_looks.*More than 3 operations need more turns. Give",
    ):
        draw_plans(load_tasks("sample:tallyqa", count=40).tasks, Mix(video=0, text=0, image_kinds={TWICE: 1}), 30, 0)
