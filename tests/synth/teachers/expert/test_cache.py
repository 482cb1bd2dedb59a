"""Replies are stored and counted: nothing is paid for twice."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pixel_env.boxes import Box
from pixel_env.errors import ConfigError
from pixel_env.operations.crop_image import CropImage
from synth.plans.plan import Plan, PlanKind, PlannedOperation, Refusal
from synth.teachers.expert.cache import Reply, ReplyCache
from tests.paths import ROOT, TESTS
from tests.synth.expert_plans import REQUESTS_OF_A_ROUND, narrated, plans_of_all_kinds, single
from tests.synth.scripted_server import thought


def test_the_usage_sums_what_the_endpoint_counts_and_a_rerun_costs_nothing(server, teacher):
    plans = plans_of_all_kinds()
    first, second = teacher(price_in=2.0, price_out=30.0), teacher(price_in=2.0, price_out=30.0)
    once = narrated(first, plans)
    paid = first.usage
    assert (paid.requests, paid.prompt_tokens, paid.completion_tokens) == (12, 1200, 120)
    assert paid.price == pytest.approx(1200 * 2e-6 + 120 * 30e-6)
    assert "1,200 + 120 tokens in 12 requests, price 0.0060" in str(paid)
    assert narrated(second, plans) == once
    assert (second.usage.price, second.usage.from_cache, len(server.bodies)) == (0.0, 12, 12)


def test_replies_that_could_not_be_used_are_not_paid_for_twice_either(server, teacher):
    server.script = lambda body, number: "no JSON" if "hopeless" in str(body) else thought(body["messages"])
    plans = [single("a", question="hopeless"), single("b")]
    first = narrated(teacher(), plans)
    assert narrated(teacher(), plans) == first and len(server.bodies) == 5
    assert isinstance(first[0], Refusal) and first[0].code == "not_json"


def test_another_seed_temperature_model_or_image_is_requested_anew_and_another_address_is_not(server, teacher):
    narrated(teacher(), [single()])
    for options, seed, plan in [
        ({"temperature": 0.5}, 0, single()),
        ({"max_tokens": 99}, 0, single()),
        ({}, 1, single()),
        ({"max_pixels": 28 * 28 * 20}, 0, single()),
        ({}, 0, single(question="Another?")),
    ]:
        before = len(server.bodies)
        narrated(teacher(**options), [plan], seed)
        assert len(server.bodies) == before + 2
    narrated(teacher(base_url=server.url.replace("127.0.0.1", "localhost")), [single()])
    assert len(server.bodies) == 12


def test_without_prices_only_tokens_are_printed(teacher):
    teacher = teacher()
    narrated(teacher, [single()])
    assert teacher.usage.price is None and "price" not in str(teacher.usage) and teacher.name == "m"


def test_a_killed_run_resumes_with_what_is_missing_and_tells_the_same(server, teacher, tmp_path):
    def slowly(body, number):
        time.sleep(0.05)
        return thought(body["messages"])

    plans, all_requests = plans_of_all_kinds(5), 5 * REQUESTS_OF_A_ROUND
    server.script = slowly
    command = [sys.executable, str(TESTS / "synth" / "expert_plans.py"), server.url, str(tmp_path / "cache")]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while len(server.bodies) < all_requests // 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.2)  # what was under way has been answered to nobody
    sent = len(server.bodies)
    assert all_requests // 2 <= sent < all_requests
    resumed = teacher()
    said = narrated(resumed, plans)
    assert resumed.usage.from_cache >= sent - 3 and len(server.bodies) - sent == all_requests - resumed.usage.from_cache
    assert repr(said) == repr(narrated(teacher(cache=str(tmp_path / "other")), plans))


def test_two_processes_that_share_a_cache_go_on_with_the_reply_that_came_first(tmp_path):
    one, other = ReplyCache(tmp_path), ReplyCache(tmp_path)
    first, second = Reply("first", "stop", 1, 1), Reply("second", "stop", 1, 1)
    assert (one.put("key", first), other.put("key", second), other.get("key")) == (first, first, first)
    assert one.get("another") is None


def test_a_file_that_is_no_cache_is_named(tmp_path):
    (tmp_path / "replies.sqlite3").write_text("something else, and long enough to be looked at" * 50)
    with pytest.raises(ConfigError, match=r"replies\.sqlite3.*another folder"):
        ReplyCache(tmp_path)


def test_another_crop_of_the_same_image_is_requested_anew(server, teacher):
    narrated(teacher(), [single()])
    elsewhere = Plan(single().task, PlanKind.SINGLE_PASS, (PlannedOperation(CropImage(0, Box(0.5, 0.5, 0.77, 0.77))),))
    narrated(teacher(), [elsewhere])
    assert len(server.bodies) == 3  # the overview, which says the same of both, is known


def test_what_is_forgotten_is_found_no_more_and_still_paid_for(tmp_path):
    cache = ReplyCache(tmp_path)
    for number in range(3):
        cache.put("key", Reply(f"{number}", "stop", 100, 10))
        cache.forget("key")
        assert cache.get("key") is None
    cache.put("other", Reply("kept", "stop", 100, 10))
    assert cache.totals() == (4, 400, 40) and ReplyCache(tmp_path).totals() == (4, 400, 40)


def test_the_total_usage_includes_earlier_processes(server, teacher):
    narrated(teacher(), [single("a", question="One?")])
    second = teacher(price_in=1.0, price_out=1.0)
    narrated(second, [single("a", question="One?"), single("b", question="Two?")])
    assert second.usage.with_earlier == (
        "200 + 20 tokens in 2 requests, price 0.0002, 2 from the cache; "
        "total with earlier processes: 400 + 40 tokens in 4 requests, price 0.0004"
    )
