import dataclasses
import itertools
import re
import string

import numpy as np
import pytest

from pixel_env.boxes import Box
from pixel_env.grading import grade
from pixel_env.task import Evidence
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task, tiny_video_task
from synth.plans.mix import PAPER, draw_plans
from synth.plans.plan import Narration, Plan, PlanKind, Refusal
from synth.plans.planning import planned
from synth.teachers.template import images, videos
from synth.teachers.template.teacher import TemplateTeacher, answer_words, narrated
from synth.teachers.template.wording import Grammar, moment_words, place_words
from synth.text_only.tasks import text_tasks
from synth.verification.leaks import leak_in

SMALL_MOMENT = dataclasses.replace(tiny_video_task(), evidence=(Evidence(4, Box(0.7, 0.7, 0.76, 0.76)),))
SETS = ("vstar", "tallyqa", "infographics", "mvbench")
TABLES = [
    pytest.param(grammar, id=f"{module.__name__}.{name}")
    for module in (images, videos)
    for name, grammar in vars(module).items()
    if isinstance(grammar, Grammar)
]
FIELDS = {"question": "Which digit?", "place": "the left of the picture", "moment": "the early frames", "answer": "7"}
SEEDS = [task for name in SETS for task in load_tasks(f"sample:{name}", split="train", count=120).tasks] + list(
    text_tasks(120)
)


def narrations(seed=0):
    plans = draw_plans(SEEDS, PAPER, 150, seed=seed).plans
    said = dict(TemplateTeacher().narrate(plans, seed=seed))
    return [(plan, said[place]) for place, plan in enumerate(plans)]


@pytest.mark.parametrize("grammar", TABLES)
def test_every_kind_of_remark_has_hundreds_of_distinct_texts(grammar):
    texts = {form.format(**FIELDS) for form in grammar.forms()}
    assert len(texts) >= 300 and len(texts) == len(grammar)


@pytest.mark.parametrize("grammar", TABLES)
def test_every_text_is_whole_sentences_without_holes(grammar):
    for form in grammar.forms():
        text = form.format(**FIELDS)
        assert text[0].isupper() and text[-1] in '."' and "  " not in text and " ." not in text
        assert {name for _, name, _, _ in string.Formatter().parse(form) if name} <= set(FIELDS)


OF_THE_PICTURE = re.compile(
    r"\b(?:scale|size|blurr\w*|reduced|enlarge\w*|magni\w*|coarse|sharp\w*|thumbnails?|pixels?|tiny|larger?|fine|read\w*|"
    r"unclear|clear\w*|plain\w*|visible|make out|made out|certainty)\b"
)
HOLDS = ("too large for a close look", "My task reads")


@pytest.mark.parametrize("grammar", TABLES)
def test_nothing_is_said_of_sizes_or_of_what_can_be_read_which_depends_on_image_and_dialect(grammar):
    for sentence in {sentence for slot in grammar.slots for sentence in slot}:
        if not any(words in sentence for words in HOLDS):
            assert not OF_THE_PICTURE.search(sentence), sentence


@pytest.mark.parametrize("grammar", TABLES)
def test_what_stands_before_the_answer_can_be_said_without_a_place(grammar):
    if not any("{answer}" in form for form in grammar.forms()):
        assert any("{place}" not in form and "{moment}" not in form for form in grammar.forms())


def test_every_plan_gets_a_narration_that_fits_it_and_names_the_answer_last():
    for plan, said in narrations():
        assert isinstance(said, Narration) and len(said.remarks) == len(plan.operations)
        assert answer_words(plan.task) in (said.remarks[-1] if plan.operations else said.overview)
        assert len(set(said.remarks)) == len(said.remarks)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_leaks_before_the_last_operation(seed):
    for plan, said in narrations(seed):
        for text in (said.overview, *said.remarks)[: len(plan.operations)]:
            assert leak_in(text, plan.task) is None, (plan.plan_id, text)


@pytest.mark.parametrize(
    ("question", "answer", "grammar"),
    [
        ("How many red cards are there?", "4", images.COUNTED),
        ('Count the objects of the kind "dog".', "2", images.COUNTED),
        ("In which year was the company founded?", "1998", images.SEEN),
        ("What is the phone extension of the office?", "4711", images.SEEN),
        ("How much is a coffee?", "3", images.SEEN),
        ("How many people work there?", "12,400", images.SEEN),  # read off a page, not counted
    ],
)
def test_only_an_answer_that_is_a_count_is_called_counted(question, answer, grammar):
    task = tiny_task(question=question, answers=(answer,), grader="number")
    plan = planned(task, PlanKind.SINGLE_PASS, np.random.default_rng(0))
    texts = {form.format(answer=answer) for form in grammar.forms()}
    assert all(narrated(plan, seed=seed).remarks[-1] in texts for seed in range(10))


def test_what_was_said_is_not_said_again(monkeypatch):
    monkeypatch.setattr(images, "AFTER_UNRELATED", Grammar((("Not here.", "Nor there."), ("I look elsewhere.",))))
    plan = planned(tiny_task(), PlanKind.RECROP_TWICE, np.random.default_rng(0))
    for seed in range(20):
        said = narrated(plan, seed=seed).remarks
        assert {*said[:2]} == {"Not here. I look elsewhere.", "Nor there. I look elsewhere."}


def test_a_place_is_told_on_the_image_that_is_cropped():
    for task, kind, number, whole in (
        (tiny_task(), PlanKind.FURTHER_ZOOM, 0, "of the picture"),
        (tiny_task(), PlanKind.FURTHER_ZOOM, 1, "of this crop"),
        (SMALL_MOMENT, PlanKind.SINGLE_PASS, 1, "of the frame"),
    ):
        plan = planned(task, kind, np.random.default_rng(0))
        said = [narrated(plan, seed=seed) for seed in range(40)]
        texts = [(one.overview, *one.remarks)[number] for one in said]
        placed = [text for text in texts if re.search(r" of (?:the picture|this crop|the frame)\b", text)]
        assert len(placed) >= 10 and all(whole in text for text in placed)


def test_narrations_depend_on_the_seed_and_the_plan_alone():
    plans = draw_plans(SEEDS, PAPER, 40, seed=0).plans
    teacher = TemplateTeacher()
    forward = [said for _, said in teacher.narrate(plans, seed=3)]
    backward = [said for _, said in teacher.narrate(plans[::-1], seed=3)]
    assert forward == backward[::-1]
    assert forward != [said for _, said in teacher.narrate(plans, seed=4)]


def test_overviews_of_one_question_vary():
    task = load_tasks("sample:vstar", split="train", count=1).tasks[0]
    plan = planned(task, PlanKind.SINGLE_PASS, np.random.default_rng(0))
    assert len({narrated(plan, seed=seed).overview for seed in range(300)}) >= 250


def test_a_place_that_is_the_answer_is_not_named_before_it_was_seen():
    task = tiny_task(
        question="Where does the arrow point?", answers=("left",), evidence=(Evidence(0, Box(0.05, 0.45, 0.1, 0.5)),)
    )
    plan = planned(task, PlanKind.FURTHER_ZOOM, np.random.default_rng(0))
    for seed in range(100):
        said = narrated(plan, seed=seed)
        assert not re.search(r"\bleft\b", f"{said.overview} {said.remarks[0]}") and "left" in said.remarks[1]


def test_a_choice_is_answered_by_letter_and_text():
    task = tiny_task(options=("red", "dark red", "blue."), answers=("C",), grader="choice")
    assert answer_words(task) == "(C) blue" and grade(task, answer_words(task)) == 1.0
    assert answer_words(tiny_task(answers=("About 7 cm.",))) == "About 7 cm"


def test_places_are_named_by_the_third_that_holds_the_middle():
    rng = np.random.default_rng(0)
    for (row, top), (column, left) in itertools.product(
        zip(("upper", "", "lower"), (0.1, 0.45, 0.8), strict=True),
        zip(("left", "", "right"), (0.1, 0.45, 0.8), strict=True),
    ):
        words = place_words(Box(left, top, left + 0.1, top + 0.1), "the picture", rng)
        assert (f"{row} {column}".strip() or "centre") in words and "the picture" in words


def test_moments_are_named_by_the_third_that_holds_the_middle():
    words = {
        place: {moment_words(frames, 16, np.random.default_rng(seed)) for seed in range(40)}
        for place, frames in enumerate([(0, 1), (7, 8), (14, 15)])
    }
    assert all(len(said) == 4 for said in words.values())
    spread = {moment_words((0, 1, 15), 16, np.random.default_rng(seed)) for seed in range(40)}
    assert spread == words[1]  # from the first frame to the last: the middle is the video's
    thirds = [f"the {third} third of the video" for third in ("first", "middle", "last")]
    assert all(third in said for third, said in zip(thirds, words.values(), strict=True))


def test_a_text_only_task_of_somebody_else_is_refused_by_name():
    plan = Plan(tiny_task(sources=(), evidence=(), media="text"), PlanKind.TEXT_ONLY)
    [(place, refusal)] = TemplateTeacher().narrate([plan], seed=0)
    assert place == 0 and isinstance(refusal, Refusal) and refusal.code == "no_solution"
    assert "tiny-0" in refusal.message
