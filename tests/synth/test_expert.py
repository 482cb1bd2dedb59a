"""A teacher behind an endpoint narrates plans: against a small server of our own that fails on purpose.

Run as a script with a URL and a folder it narrates the plans below, in a process that a test can kill.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from agents.traces import Mistake
from pixel_env.boxes import Box
from pixel_env.errors import ConfigError
from pixel_env.testing import BrokenSource, tiny_task, tiny_video_task
from pixel_env.types import CropImage, SelectFrames
from synth.expert.cache import Reply, ReplyCache
from synth.expert.config import ExpertConfig
from synth.expert.teacher import ExpertTeacher
from synth.plans import Look, Narration, Plan, PlanKind, Refusal

pytest.importorskip("openai")
CUE = CropImage(0, Box(0.5, 0.5, 0.75, 0.75))
ASIDE = Look(CropImage(0, Box(0.0, 0.0, 0.25, 0.25)), Mistake.UNRELATED_REGION)
AROUND = Look(CropImage(0, Box(0.25, 0.25, 1.0, 1.0)), Mistake.OVERSIZED_REGION)
INNER = CropImage(1, Box(0.3, 0.3, 0.7, 0.7))
WRONG_FRAMES = Look(SelectFrames((0, 1)), Mistake.WRONG_FRAMES)


def single(task_id="single", **fields):
    return Plan(tiny_task(task_id, **fields), PlanKind.SINGLE_PASS, (Look(CUE),))


def plans_of_all_kinds(rounds=1):
    """Five plans a round, of 2, 3, 3, 3 and 1 requests."""
    plans = []
    for number in range(rounds):
        task = tiny_task(f"tiny-{number}", question=f"Which digit is on card {'x' * (number + 1)}?")
        text = tiny_task(f"text-{number}", question=f"How much is 3 + 4{' ' * number}?", sources=(), media="text")
        plans += [
            Plan(task, PlanKind.SINGLE_PASS, (Look(CUE),)),
            Plan(task, PlanKind.RECROP_ONCE, (ASIDE, Look(CUE))),
            Plan(task, PlanKind.FURTHER_ZOOM, (AROUND, Look(INNER))),
            Plan(tiny_video_task(question=f"Which digit is shown{'?' * (number + 1)}"), PlanKind.RESELECT,
                 (WRONG_FRAMES, Look(SelectFrames((8, 9))))),
            Plan(text, PlanKind.TEXT_ONLY),
        ]  # fmt: skip
    return plans


REQUESTS_OF_A_ROUND = 12


def asked(messages):
    """The text of the latest request."""
    content = messages[-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def pictures(messages):
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def thought(messages):
    """What a good teacher replies: another text to every request, the same to the same one."""
    digest = (
        hashlib.sha256(json.dumps(messages).encode()).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))
    )
    step = asked(messages[:2])
    suffices = "The right answer" in step or "whole reasoning" in step
    return json.dumps({"text": f"I see a field of colours and think of {digest}.", "suffices": suffices})


def completion(text, finish_reason="stop"):
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}}  # fmt: skip


class Served(ThreadingHTTPServer):
    """Answers with `script(body, number)`: a text, a status, a status and its text, bytes as they are, or CUT.

    `number` counts the requests. `bodies`: all that came; `peak`: how many it had at a time; `times`: when they came.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = lambda body, number: thought(body["messages"])
        self.bodies, self.times, self.under_way, self.peak, self.lock = [], [], 0, 0, threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


CUT = object()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.bodies.append(body)
            server.times.append(time.monotonic())
            server.under_way += 1
            server.peak, number = max(server.peak, server.under_way), len(server.bodies)
        said = server.script(body, number)
        with server.lock:
            server.under_way -= 1
        status, text = (said, "no") if isinstance(said, int) else said if isinstance(said, tuple) else (200, said)
        payload = text if isinstance(text, bytes) else json.dumps(completion("" if text is CUT else text)).encode()
        if status != 200:
            payload = json.dumps({"error": {"message": text}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", len(payload))
        self.send_header("retry-after-ms", "10")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(payload[: len(payload) // 2] if text is CUT else payload)
        if text is CUT:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    served = Served()
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def teacher(server, tmp_path):
    def make(**options):
        defaults = {"base_url": server.url, "cache": str(tmp_path / "cache"), "concurrency": 4, "timeout_s": 20.0}
        return ExpertTeacher(ExpertConfig("m", **(defaults | options)))

    return make


def narrated(teacher, plans, seed=0):
    """The narrations and refusals in the plans' order; each plan comes once."""
    said = list(teacher.narrate(plans, seed=seed))
    assert sorted(place for place, _ in said) == list(range(len(plans)))
    return [one for _, one in sorted(said, key=lambda row: row[0])]


# --------------------------------------------------------------------------------------------------- what is asked


def test_every_kind_of_plan_gets_an_overview_and_a_remark_for_each_look(server, teacher):
    plans = plans_of_all_kinds()
    for plan, said in zip(plans, narrated(teacher(), plans), strict=True):
        assert isinstance(said, Narration) and len(said.remarks) == len(plan.looks)
    assert len(server.bodies) == REQUESTS_OF_A_ROUND


def test_the_overview_is_asked_for_with_the_whole_picture_and_without_the_answer(server, teacher):
    narrated(teacher(), [single(answers=("zebra",))])
    overview, remark = (body["messages"] for body in server.bodies)
    assert "zebra" not in json.dumps(overview[0]) + asked(overview) and "zebra" in asked(remark)
    assert "Which digit is on the red card?" in asked(overview) and "middle right" not in asked(overview)
    [whole], [crop] = pictures(overview), pictures(remark)
    assert whole.getpixel((0, 0))[:2] == (0, 0) and crop.getpixel((0, 0))[:2] == pytest.approx((140, 140), abs=2)


def test_a_mistaken_look_is_shown_called_a_mistake_and_never_given_the_answer(server, teacher):
    plan = Plan(tiny_task(answers=("zebra",)), PlanKind.RECROP_ONCE, (ASIDE, Look(CUE)))
    narrated(teacher(), [plan])
    mistake = server.bodies[1]["messages"]
    assert "mistake" in asked(mistake) and "zebra" not in asked(mistake)
    [crop] = pictures(mistake)
    assert max(crop.getpixel((crop.width - 1, crop.height - 1))[:2]) < 75


def test_a_video_is_shown_as_its_frames_and_a_selection_as_its_own(server, teacher):
    narrated(teacher(), [plans_of_all_kinds()[3]])
    shades = [[picture.getpixel((0, 0))[2] for picture in pictures(body["messages"])] for body in server.bodies]
    assert shades == [list(range(16)), [0, 1], [8, 9]]


def test_a_crop_of_a_crop_is_shown_where_it_really_lies(server, teacher):
    narrated(teacher(), [plans_of_all_kinds()[2]])
    [crop] = pictures(server.bodies[2]["messages"])
    corner = round((0.25 + 0.3 * 0.75) * 280)
    assert crop.getpixel((0, 0))[:2] == pytest.approx((corner, corner), abs=2)


def test_a_plan_with_two_cues_ends_with_both_of_them_in_sight(server, teacher):
    plan = Plan(tiny_task(), PlanKind.SINGLE_PASS, (Look(CropImage(0, Box(0.0, 0.0, 0.25, 0.25))), Look(CUE)))
    narrated(teacher(), [plan])
    assert [len(pictures(body["messages"])) for body in server.bodies] == [1, 1, 2]


def test_a_look_that_cannot_be_shown_refuses_its_plan_before_anything_is_asked(server, teacher):
    small = Plan(tiny_task(), PlanKind.SINGLE_PASS, (Look(CropImage(0, Box(0.5, 0.5, 0.51, 0.51))),))
    [said] = narrated(teacher(), [small])
    assert said.code == "look_fails" and "too small" in said.message and not server.bodies


def test_a_picture_that_cannot_be_read_refuses_its_plan_and_not_the_others(server, teacher):
    broken, good = narrated(teacher(), [single(sources=(BrokenSource(),)), single("good")])
    assert broken.code == "media" and isinstance(good, Narration)


# ----------------------------------------------------------------------------------------- an endpoint that fails


def trouble(body, number):
    """Every way to fail that there is, each several times among good replies."""
    bad = {
        1: 429, 2: 500, 3: CUT, 4: b"<html>gateway</html>", 5: b'{"error": {"message": "overloaded"}, "choices": null}',
        6: "this is no JSON", 7: '{"text": 5}', 8: "", 9: 503, 10: '{"text": "I call <tool_call> now and see it."}',
    }  # fmt: skip
    return bad.get(number % 17) or thought(body["messages"])


def test_an_endpoint_that_fails_in_every_way_loses_nothing(server, teacher):
    plans = plans_of_all_kinds(3)
    server.script = trouble
    said = narrated(teacher(max_attempts=6), plans)
    assert Counter(type(one) for one in said) == {Narration: len(plans)}
    assert len(server.bodies) > 1.5 * 3 * REQUESTS_OF_A_ROUND


def test_a_reply_that_cannot_be_used_is_asked_for_again_with_the_reason(server, teacher):
    server.script = lambda body, number: "no JSON at all" if number == 1 else thought(body["messages"])
    [said] = narrated(teacher(), [single()])
    again = server.bodies[1]["messages"]
    assert again[-2] == {"role": "assistant", "content": "no JSON at all"} and "not JSON" in again[-1]["content"]
    assert isinstance(said, Narration) and len(server.bodies) == 3


def test_after_the_last_attempt_the_plan_is_refused_with_the_reason_and_others_go_on(server, teacher):
    def script(body, number):
        hopeless = "hopeless" in json.dumps(body["messages"])
        text = r"The card shows \\boxed{5}, as is plain." if hopeless else thought(body["messages"])
        return json.dumps({"text": text, "suffices": False}) if hopeless else text

    server.script = script
    bad, good = narrated(teacher(max_attempts=2), [single("a", question="hopeless"), single("b")])
    assert bad.code == "markup" and "boxed" in bad.message and isinstance(good, Narration)
    assert sum("hopeless" in json.dumps(body) for body in server.bodies) == 2


def test_a_text_that_says_the_detail_before_it_was_shown_is_asked_for_again(server, teacher):
    leak = json.dumps({"text": "The card in the middle shows a 7 already.", "suffices": True})
    server.script = lambda body, number: leak if number == 1 else thought(body["messages"])
    [said] = narrated(teacher(), [single()])
    assert isinstance(said, Narration) and "shows a 7" not in said.overview
    assert "before it was looked at" in server.bodies[1]["messages"][-1]["content"]


def test_a_teacher_that_does_not_find_the_answer_in_the_look_refuses_the_plan(server, teacher):
    unseen = json.dumps({"text": "I see nothing of the kind in here.", "suffices": False})
    server.script = lambda body, number: unseen
    [said] = narrated(teacher(), [single()])
    assert said.code == "look_disagrees" and "nothing of the kind" in said.message


def test_a_reply_in_a_code_block_behind_hidden_reasoning_is_read(server, teacher):
    server.script = lambda body, number: f"<think>{{a}}</think>Here:\n```json\n{thought(body['messages'])}\n```"
    assert isinstance(narrated(teacher(), [single()])[0], Narration)


def test_a_reply_that_was_cut_for_its_length_is_asked_for_again(server, teacher):
    def script(body, number):
        cut = completion(thought(body["messages"]), finish_reason="length")
        return json.dumps(cut).encode() if number == 1 else thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(), [single()])[0], Narration)
    assert "shorter" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize("taken", ["json_object", None])
def test_an_endpoint_without_schemas_is_asked_in_the_format_that_it_takes_and_once_only(server, teacher, taken):
    def script(body, number):
        given = body.get("response_format", {}).get("type")
        return thought(body["messages"]) if given == taken else (400, f"{given} is not supported")

    server.script = script
    said = narrated(teacher(concurrency=1), plans_of_all_kinds())
    assert all(isinstance(one, Narration) for one in said)
    refused = 1 if taken else 2
    assert len(server.bodies) == REQUESTS_OF_A_ROUND + refused


def test_fields_that_an_endpoint_does_not_know_are_replaced_or_left_out(server, teacher):
    def script(body, number):
        if "seed" in body:
            return 422, "extra field: seed"
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(), [single()])[0], Narration)
    assert server.bodies[-1]["max_completion_tokens"] == 1024 and "response_format" in server.bodies[-1]


def test_one_request_that_the_endpoint_refuses_costs_one_plan(server, teacher):
    server.script = lambda body, number: (400, "too long") if "hopeless" in str(body) else thought(body["messages"])
    bad, good = narrated(teacher(), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_refused" and "too long" in bad.message and isinstance(good, Narration)


def test_one_request_that_breaks_the_endpoint_costs_one_plan(server, teacher):
    server.script = lambda body, number: 500 if "hopeless" in str(body) else thought(body["messages"])
    bad, good = narrated(teacher(retries=2), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_failed" and isinstance(good, Narration)


def test_an_endpoint_that_only_fails_stops_the_run_instead_of_refusing_every_plan(server, teacher):
    server.script = lambda body, number: 500
    refused = []
    with pytest.raises(ConfigError, match="the same command goes on"):
        for _, said in teacher(retries=0).narrate(plans_of_all_kinds(8), seed=0):
            refused.append(said)
    assert not refused and len(server.bodies) < 20


def test_an_endpoint_that_breaks_for_a_while_loses_no_plan_even_where_repeating_did_not_help(server, teacher):
    server.script = lambda body, number: 500 if 5 <= number < 10 else thought(body["messages"])
    said = narrated(teacher(retries=0, concurrency=2), plans_of_all_kinds(2))
    assert all(isinstance(one, Narration) for one in said)


def test_many_plans_that_the_endpoint_refuses_stop_nothing_as_long_as_it_serves_others(server, teacher):
    server.script = lambda body, number: (400, "too long") if "hopeless" in str(body) else thought(body["messages"])
    plans = [single(f"{i}", question="hopeless" if i % 2 else f"{i}?") for i in range(24)]
    said = narrated(teacher(), plans)
    assert Counter(type(one) for one in said) == {Narration: 12, Refusal: 12}


def test_what_was_learned_of_an_endpoint_holds_for_the_next_plans_too(server, teacher):
    server.script = lambda body, number: 400 if "response_format" in body else thought(body["messages"])
    teacher = teacher(concurrency=1)
    narrated(teacher, [single("a", question="One?")])
    narrated(teacher, [single("b", question="Two?")])
    assert ["response_format" in body for body in server.bodies] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("status", "way_out"), [(401, "OPENAI_API_KEY"), (403, "another key"), (404, "/v1"), (429, "requests_per_minute")]
)
def test_what_concerns_every_request_stops_at_once_says_the_way_out_and_keeps_what_was_told(
    server, teacher, status, way_out
):
    server.script = lambda body, number: thought(body["messages"]) if number <= 6 else status
    with pytest.raises(ConfigError, match=way_out):
        list(teacher(concurrency=1, retries=0).narrate(plans_of_all_kinds(2), seed=0))
    assert len(server.bodies) == 7
    server.script = lambda body, number: thought(body["messages"])
    again = teacher()
    narrated(again, plans_of_all_kinds(2))
    assert (again.bill.from_cache, again.bill.requests) == (6, 2 * REQUESTS_OF_A_ROUND - 6)


def test_an_endpoint_that_is_not_there_is_named(teacher):
    with pytest.raises(ConfigError, match=r"http://127.0.0.1:9/v1.*reachable"):
        narrated(teacher(base_url="http://127.0.0.1:9/v1", retries=0), [single()])


def test_an_endpoint_that_is_silent_too_long_is_asked_again(server, teacher):
    def script(body, number):
        time.sleep(1.0 if number == 1 else 0.0)
        return thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(timeout_s=0.3), [single()])[0], Narration)


# ------------------------------------------------------------------------------------------- pace, price, cache


def test_no_more_requests_than_the_concurrency_are_under_way_and_as_many_are_used(server, teacher):
    def script(body, number):
        time.sleep(0.03)
        return thought(body["messages"])

    server.script = script
    narrated(teacher(concurrency=3), plans_of_all_kinds(3))
    assert server.peak == 3


def test_no_more_requests_a_minute_are_sent_than_allowed_repeated_ones_included(server, teacher):
    server.script = lambda body, number: 500 if number % 3 == 1 else thought(body["messages"])
    narrated(teacher(requests_per_minute=60 / 0.05), plans_of_all_kinds())
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False)]
    assert len(server.times) > REQUESTS_OF_A_ROUND
    assert server.times[-1] - server.times[0] >= 0.05 * len(gaps) - 0.05


def test_no_more_tokens_a_minute_are_spent_than_allowed(server, teacher):
    teacher = teacher(tokens_per_minute=110 / 0.03 * 60, max_tokens=16, max_pixels=28 * 28 * 16)
    start = time.monotonic()
    narrated(teacher, plans_of_all_kinds())
    assert time.monotonic() - start >= 0.03 * (REQUESTS_OF_A_ROUND - 1) * 0.9


def test_a_busy_endpoint_is_left_alone_by_all_for_as_long_as_it_asks(server, teacher):
    class Busy(Handler):
        def end_headers(self):
            self.send_header("Retry-After", "0.6")
            super().end_headers()

    server.RequestHandlerClass = Busy
    server.script = lambda body, number: 429 if number == 1 else thought(body["messages"])
    narrated(teacher(concurrency=1), [single()])
    assert server.times[1] - server.times[0] >= 0.55


def test_the_bill_sums_what_the_endpoint_counts_and_a_rerun_costs_nothing(server, teacher):
    plans = plans_of_all_kinds()
    first, second = teacher(price_in=2.0, price_out=30.0), teacher(price_in=2.0, price_out=30.0)
    once = narrated(first, plans)
    paid = first.bill
    assert (paid.requests, paid.prompt_tokens, paid.completion_tokens) == (12, 1200, 120)
    assert paid.price == pytest.approx(1200 * 2e-6 + 120 * 30e-6)
    assert "1,200 + 120 tokens in 12 requests, price 0.0060" in str(paid)
    assert narrated(second, plans) == once
    assert (second.bill.price, second.bill.from_cache, len(server.bodies)) == (0.0, 12, 12)


def test_replies_that_could_not_be_used_are_not_paid_for_twice_either(server, teacher):
    server.script = lambda body, number: "no JSON"
    first = narrated(teacher(), [single()])
    assert narrated(teacher(), [single()]) == first and len(server.bodies) == 3
    assert isinstance(first[0], Refusal) and first[0].code == "not_json"


def test_another_seed_temperature_model_or_picture_is_asked_anew_and_another_address_is_not(server, teacher):
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


def test_without_prices_only_tokens_are_told(teacher):
    teacher = teacher()
    narrated(teacher, [single()])
    assert teacher.bill.price is None and "price" not in str(teacher.bill) and teacher.name == "m"


def test_whoever_takes_a_few_pays_for_few(server, teacher):
    narrations = teacher(concurrency=2).narrate([single(f"{i}", question=f"{i}?") for i in range(40)], seed=0)
    next(narrations)
    time.sleep(0.5)
    narrations.close()
    assert len(server.bodies) <= 2 * 5


def narrate_elsewhere(url, cache):
    teacher = ExpertTeacher(ExpertConfig("m", base_url=url, cache=cache, concurrency=3))
    for _ in teacher.narrate(plans_of_all_kinds(5), seed=0):
        pass


def test_a_killed_run_goes_on_with_what_is_missing_and_tells_the_same(server, teacher, tmp_path):
    def slowly(body, number):
        time.sleep(0.05)
        return thought(body["messages"])

    plans, all_requests = plans_of_all_kinds(5), 5 * REQUESTS_OF_A_ROUND
    server.script = slowly
    command = [sys.executable, __file__, server.url, str(tmp_path / "cache")]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
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
    assert resumed.bill.from_cache >= sent - 3 and len(server.bodies) - sent == all_requests - resumed.bill.from_cache
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


@pytest.mark.parametrize(
    ("options", "words"),
    [({"concurrency": 0}, "concurrency is 0"), ({"requests_per_minute": 0}, "no limit"), ({"price_in": 1.0}, "both")],
)
def test_a_configuration_that_cannot_work_says_so(options, words):
    with pytest.raises(ConfigError, match=words):
        ExpertConfig("m", **options)


if __name__ == "__main__":
    narrate_elsewhere(*sys.argv[1:])
