"""Lies are dropped by kind, and nothing honest is."""

import dataclasses

import pytest

from synth.verification.verify import verify
from tests.synth.verification import lies, unseen
from tests.synth.verification.honest import CLIP_EVIDENCE, HONEST
from tests.synth.verification.test_verify import SETTINGS, reason, trace_of

SOME_PASS = {"counts_another_number": 20, "reads_another_text": 16, "guesses": 23, "tells_a_pair_or_a_dozen": 24}
"""Kinds of which not every lie is dropped, with how many of 25 at least are."""
CAUGHT_BY_REASON = {
    "wrong_answer_in_the_box": {"answered_wrong"},
    "trained_mistake": {"mistake_trained"},
    "right_look_flagged_as_mistake": {"not_its_mistake"},
    "name_of_another_kind": {"not_its_kind"},
    "unknown_kind": {"unknown_kind"},
    "nothing_trained": {"nothing_trained"},
    "earlier_box_with_another_value": {"contradicts_itself"},
    "tells_in_roman_numerals": {"leak"},
    "names_another_corner": {"false_remark"},
}


@pytest.mark.parametrize("kind", lies.DECIDABLE)
def test_a_lie_of_a_decidable_kind_is_dropped(kind):
    reasons = lies.caught(kind)
    assert len(reasons) == lies.EACH and len([one for one in reasons if one]) >= SOME_PASS.get(kind, lies.EACH)
    assert set(reasons) - {""} <= CAUGHT_BY_REASON.get(kind, set(reasons))


@pytest.mark.parametrize("kind", lies.UNDECIDABLE)
def test_a_lie_that_needs_eyes_passes(kind):
    """They are listed as such in the documentation; a rule that drops them belongs there, too."""
    assert len([one for one in lies.caught(kind) if one]) <= lies.EACH // 5


def test_no_honest_trace_of_the_template_teacher_is_dropped():
    dropped = {trace.task.task_id: verify(trace, lies.SETTINGS).fault for trace in lies.honest_traces()}
    assert len(dropped) == 300 and not any(dropped.values())


def test_the_rules_reach_beyond_the_wordings_that_they_were_made_with():
    """The figures of docs/synthesis.md: nothing honest is dropped, and two lies of three are."""
    assert not any(map(unseen.dropped, unseen.honest_cases()))
    assert sum(map(unseen.dropped, unseen.lying_cases())) >= 37 and len(unseen.lying_cases()) == 57


@pytest.mark.parametrize("case", HONEST, ids=[case[-1] for case in HONEST])
def test_no_honest_text_of_an_expert_is_dropped(case):
    task, looks, *texts = case
    if task.media == "video":
        task = dataclasses.replace(task, evidence=CLIP_EVIDENCE)
    trace = trace_of(*looks, task=task, answer=task.answers[0], texts=texts)
    assert verify(trace, SETTINGS).fault is None


def test_a_trace_of_no_kind_is_not_held_to_one():
    trace = lies.honest_traces()[0]
    assert reason(dataclasses.replace(trace, kind=""), lies.SETTINGS) is None
