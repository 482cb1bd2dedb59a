import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmarks.demo.gallery import card, pick
from benchmarks.evaluation.records import read_evaluation
from benchmarks.report.command import main
from benchmarks.studies.curves import Curve, read_curve
from benchmarks.studies.trap.findings import WARM_START, WITH, WITHOUT
from rewards.shaping import RewardPart, paper
from tests.benchmarks.runs import HABITS, make_run


class Page(HTMLParser):
    """Counts elements and collects what a browser would load."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.loads, self.images = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes.get("class", "")))
        self.loads += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "img":
            self.images.append(attributes)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes).get("class", "")))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} is closed where another element is open"


@pytest.fixture(scope="module")
def text(finished_run):
    assert main(["--run", str(finished_run)]) == 0
    return (finished_run / "report.html").read_text()


def test_the_page_is_well_formed_and_loads_nothing(text):
    page = Page(text)
    assert page.open == []
    assert page.loads and all(address.startswith("data:image/") for address in page.loads)
    assert not re.search(r"url\(|@import|<script|https?://", text)


def test_every_picture_says_what_it_is(text):
    images = Page(text).images
    assert all(image["alt"] for image in images)
    charts = re.findall(r'<svg class="chart"[^>]*>', text)
    assert len(charts) == 3 and all('role="img"' in chart and "aria-label=" in chart for chart in charts)


def test_there_are_six_right_and_six_wrong_trajectories_with_source_boxes_crops_and_reward(text):
    cards = re.findall(r"<article class=\"card (right|wrong)\">(.*?)</article>", text, re.DOTALL)
    assert [verdict for verdict, _ in cards] == ["right"] * 6 + ["wrong"] * 6
    for _, body in cards:
        assert 'class="source"' in body and 'class="evidence' in body and "overview, 64×64 px" in body
        assert all(part in body for part in ("correctness", "curiosity", "penalty", "&lt;answer&gt;"))
    looked = [body for _, body in cards if "&lt;crop&gt;" in body]
    assert looked and all('class="look"' in body and "crop 1, 128×128 px" in body for body in looked)


def test_shown_trajectories_are_of_different_questions_and_paid_as_in_training(finished_run):
    gallery = read_evaluation(finished_run / "gallery")
    wrong = pick(gallery, paper, 6, right=False)
    shown = wrong + pick(gallery, paper, 6, right=True, besides=wrong)
    assert [s.trajectory.reward for s in shown] == [0.0] * 6 + [1.0] * 6
    assert len({s.trajectory.task.task_id for s in shown}) == 12
    assert all(s.parts["correctness"] == s.trajectory.reward and s.rollouts == 8 for s in shown)


def test_with_few_wrong_questions_some_are_shown_twice(finished_run):
    gallery = read_evaluation(finished_run / "gallery")
    wrong = {s.trajectory.task.task_id for s in pick(gallery, paper, 2, right=False)}
    few = dataclasses.replace(
        gallery,
        records=[r for r in gallery.records if r.trajectory.reward == 1.0 or r.trajectory.task.task_id in wrong],
    )
    shown = pick(few, paper, 6, right=False)
    assert len(shown) == 6 and {s.trajectory.task.task_id for s in shown} == wrong
    assert len({id(s.trajectory) for s in shown}) == 6


def test_a_card_shows_what_each_part_adds_to_the_reward_and_their_sum(finished_run):
    def own(group):
        turns = np.array([len(trajectory.turns) for trajectory in group])
        return {"<turns>": RewardPart(turns, weight=-0.5), "four": np.full(len(group), 4.0)}

    gallery = read_evaluation(finished_run / "gallery")
    [shown] = pick(gallery, own, 1, right=True)
    used = -0.5 * len(shown.trajectory.turns)
    assert shown.parts == {"<turns>": used, "four": 4.0}
    body = card(shown, gallery.budgets)
    assert f"&lt;turns&gt;</span> {used:+.3f}" in body and f"<span>reward</span> {4 + used:.3f}" in body


def test_rare_looks_show_their_bonus(tmp_path):
    run = make_run(tmp_path / "rare", {**HABITS, WITH: HABITS[WARM_START]}, questions=12)
    shown = pick(read_evaluation(run / "gallery"), paper, 6, right=False)
    paid = [(s.parts["curiosity"], s.cropped, s.trajectory.valid_operations) for s in shown]
    assert all(bonus == pytest.approx(0.5 * max(0.3 - looked / 8, 0) * used) for bonus, looked, used in paid)


def test_the_page_says_that_the_warm_start_is_clumsy_and_where_a_competent_one_is(text):
    assert "clumsy on purpose" in text and "<code>make trap</code>" in text and "competent" in text


def test_a_run_without_right_answers_says_so(tmp_path):
    never = HABITS[WARM_START].__class__(looks=0.0, finds=0.0, reads=0.0, guesses=0.0, easy=0.0)
    run = make_run(tmp_path / "never", dict.fromkeys((WARM_START, WITH, WITHOUT), never), questions=8)
    assert main(["--run", str(run)]) == 0
    text = re.sub(r'"data:[^"]*"', "", (run / "report.html").read_text())
    assert "No sampled rollout was right" in text and "6 trajectories" in text and "nan" not in text.lower()


def test_a_quick_run_is_marked_as_one(finished_run, tmp_path):
    run = tmp_path / "quick"
    shutil.copytree(finished_run, run)
    (run / "configuration.json").write_text(json.dumps({"seed": 0, "quick": True, "base": "tiny-base"}))
    main(["--run", str(run)])
    assert "figures are meaningless" in (run / "report.html").read_text()


def test_curves_leave_out_steps_without_a_case_and_are_smoothed_around_each_step(tmp_path):
    folder = tmp_path / "arm" / "checkpoint-3"
    folder.mkdir(parents=True)
    rows = [{"step": 1, "rapr": 0.0}, {"step": 2, "loss": 1.0}, {"step": 3, "rapr": 1.0}]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": rows}))
    curve = read_curve(tmp_path / "arm", "rapr", "arm")
    assert curve == Curve("arm", (1, 3), (0.0, 1.0))
    assert curve.smoothed(4).values == (0.5, 0.5) and curve.smoothed(1) == curve
