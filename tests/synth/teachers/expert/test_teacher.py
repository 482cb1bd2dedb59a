"""A teacher behind an endpoint narrates plans: its requests, and what happens with its replies."""

import json
import time

import pytest

from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import BrokenSource, tiny_task
from synth.plans.plan import Narration, Plan, PlanKind, PlannedOperation
from synth.teachers.expert.reply import SCHEMA
from tests.synth.expert_plans import ASIDE, CUE, REQUESTS_OF_A_ROUND, narrated, plans_of_all_kinds, single, text_only
from tests.synth.scripted_server import asked, completion, pictures, thought


def test_every_kind_of_plan_gets_an_overview_and_a_remark_for_each_operation(server, teacher):
    plans = plans_of_all_kinds()
    for plan, said in zip(plans, narrated(teacher(), plans), strict=True):
        assert isinstance(said, Narration) and len(said.remarks) == len(plan.operations)
    assert len(server.bodies) == REQUESTS_OF_A_ROUND


def test_the_overview_is_requested_with_the_whole_image_and_without_the_answer(server, teacher):
    narrated(teacher(), [single(answers=("zebra",))])
    overview, remark = (body["messages"] for body in server.bodies)
    assert "zebra" not in json.dumps(overview[0]) + asked(overview) and "zebra" in asked(remark)
    assert "Which digit is on the red card?" in asked(overview) and "middle right" not in asked(overview)
    [whole], [crop] = pictures(overview), pictures(remark)
    assert whole.getpixel((0, 0))[:2] == (0, 0) and crop.getpixel((0, 0))[:2] == pytest.approx((140, 140), abs=2)


def test_a_mistaken_operation_is_shown_called_a_mistake_and_never_given_the_answer(server, teacher):
    plan = Plan(tiny_task(answers=("zebra",)), PlanKind.RECROP_ONCE, (ASIDE, PlannedOperation(CUE)))
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
    plan = Plan(
        tiny_task(),
        PlanKind.SINGLE_PASS,
        (PlannedOperation(CropImage(0, Box(0.0, 0.0, 0.25, 0.25))), PlannedOperation(CUE)),
    )
    narrated(teacher(), [plan])
    assert [len(pictures(body["messages"])) for body in server.bodies] == [1, 1, 2]


def test_an_operation_that_cannot_be_shown_refuses_its_plan_before_anything_is_asked(server, teacher):
    small = Plan(tiny_task(), PlanKind.SINGLE_PASS, (PlannedOperation(CropImage(0, Box(0.5, 0.5, 0.51, 0.51))),))
    [said] = narrated(teacher(), [small])
    assert said.code == "look_fails" and "too small" in said.message and not server.bodies


def test_a_image_that_cannot_be_read_refuses_its_plan_and_not_the_others(server, teacher):
    broken, good = narrated(teacher(), [single(sources=(BrokenSource(),)), single("good")])
    assert broken.code == "media" and isinstance(good, Narration)


# ------------------------------------------------------------------------------------------------ what it replies


def test_a_reply_that_cannot_be_used_is_requested_again_with_the_reason(server, teacher):
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


def test_a_text_that_says_the_detail_before_it_was_shown_is_requested_again(server, teacher):
    leak = json.dumps({"text": "The card in the middle shows a 7 already.", "suffices": True})
    server.script = lambda body, number: leak if number == 1 else thought(body["messages"])
    [said] = narrated(teacher(), [single()])
    assert isinstance(said, Narration) and "shows a 7" not in said.overview
    assert "before it was looked at" in server.bodies[1]["messages"][-1]["content"]


def test_a_teacher_that_does_not_find_the_answer_in_the_result_refuses_the_plan(server, teacher):
    unseen = json.dumps({"text": "I see nothing of the kind in here.", "suffices": False})
    server.script = lambda body, number: unseen
    [said] = narrated(teacher(), [single()])
    assert said.code == "look_disagrees" and "nothing of the kind" in said.message


def test_a_reply_in_a_code_block_behind_hidden_reasoning_is_read(server, teacher):
    server.script = lambda body, number: f"<think>{{a}}</think>Here:\n```json\n{thought(body['messages'])}\n```"
    assert isinstance(narrated(teacher(), [single()])[0], Narration)


def test_a_reply_that_was_cut_for_its_length_is_requested_again(server, teacher):
    def script(body, number):
        cut = completion(thought(body["messages"]), finish_reason="length")
        return json.dumps(cut).encode() if number == 1 else thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(), [single()])[0], Narration)
    assert "shorter" in server.bodies[1]["messages"][-1]["content"]


def test_whoever_takes_a_few_pays_for_few(server, teacher):
    narrations = teacher(concurrency=2).narrate([single(f"{i}", question=f"{i}?") for i in range(40)], seed=0)
    next(narrations)
    time.sleep(0.5)
    narrations.close()
    assert len(server.bodies) <= 2 * 5


LIE = "So the answer is clearly 3141."


@pytest.mark.parametrize("plan", [single(), text_only()], ids=["looked", "text alone"])
def test_a_last_text_that_ends_in_another_answer_is_requested_again_with_the_reason(server, teacher, plan):
    lies = len(plan.operations) + 1
    server.script = lambda body, number: thought(body["messages"], LIE if number <= lies else "")
    [said] = narrated(teacher(), [plan])
    assert isinstance(said, Narration) and "3141" not in repr(said)
    assert "has to end in the answer '7'" in server.bodies[-1]["messages"][-1]["content"]


@pytest.mark.parametrize("plan", [single(), text_only()], ids=["looked", "text alone"])
def test_a_teacher_that_always_contradicts_the_answer_makes_no_trace(server, teacher, plan):
    server.script = lambda body, number: thought(body["messages"], LIE)
    [said] = narrated(teacher(), [plan])
    assert said.code == "another_answer" if plan.operations else said.code in ("another_answer", "answer_not_stated")


def test_a_solution_that_never_states_its_answer_is_requested_again(server, teacher):
    server.script = lambda body, number: thought(body["messages"], "That is how it is done." if number == 1 else "")
    [said] = narrated(teacher(), [text_only()])
    assert isinstance(said, Narration) and said.overview.endswith("So the answer is 7.")
    assert "stating the answer '7'" in server.bodies[1]["messages"][-1]["content"]


def test_a_teacher_that_finds_what_is_needed_in_an_unrelated_region_refuses_the_plan(server, teacher):
    def script(body, number):
        found = {"text": "I see all that the question asks about in here.", "suffices": True}
        return json.dumps(found) if "mistake" in asked(body["messages"]) else thought(body["messages"])

    server.script = script
    [said] = narrated(teacher(), [Plan(tiny_task(), PlanKind.RECROP_ONCE, (ASIDE, PlannedOperation(CUE)))])
    assert said.code == "look_disagrees" and "what is shown suffices" in said.message


def test_every_request_says_its_seed_and_the_schema_of_its_reply(server, teacher):
    narrated(teacher(), [single()], seed=3)
    for body in server.bodies:
        assert body["seed"] == 3 and body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_an_answer_that_is_announced_between_two_right_operations_is_requested_again(server, teacher):
    early = json.dumps({"text": "One card shows it, so the answer is 7 already.", "suffices": False})
    server.script = lambda body, number: early if number == 2 else thought(body["messages"])
    plan = Plan(
        tiny_task(),
        PlanKind.SINGLE_PASS,
        (PlannedOperation(CropImage(0, Box(0.0, 0.0, 0.25, 0.25))), PlannedOperation(CUE)),
    )
    [said] = narrated(teacher(), [plan])
    assert isinstance(said, Narration) and "already" not in repr(said)
    assert "before it was looked at" in server.bodies[2]["messages"][-1]["content"]
