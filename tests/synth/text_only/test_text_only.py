"""Every answer is derived again here from the text of the question, by other means than those of the generator."""

import datetime
import itertools
import re
from collections import Counter, defaultdict

import pytest

from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.task import TaskSet
from pixel_env.testing import tiny_task
from synth.plans.plan import Narration, Plan, PlanKind, traced
from synth.text_only.tasks import FAMILIES, solution, text_tasks

TASKS = text_tasks(3300, seed=1)
BY_FAMILY = defaultdict(list)
for _task in TASKS:
    BY_FAMILY[_task.category].append(_task)


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def expression(question):
    return str(eval(re.search(r"\(.*\d", question)[0].replace("×", "*")))


def shopping(question):
    m, p, n, q, paid = numbers(question)
    return str(paid - sum([p] * m) - sum([q] * n))


def sharing(question):
    total, children = numbers(question)
    rest = total
    while rest >= children:
        rest -= children
    return str(rest if "left over" in question else (total - rest) // children)


def discount(question):
    price, percent, fee = numbers(question)
    assert price * (100 - percent) % 100 == 0
    return str(price * (100 - percent) // 100 + fee)


def journey(question):
    hours, speed, more_hours, other_speed = numbers(question)
    return str(hours * speed + more_hours * other_speed)


def clock(question):
    hour, minute, lasting = numbers(question)
    end = datetime.datetime(2000, 1, 1, hour, minute) + datetime.timedelta(minutes=lasting)
    return end.strftime("%H:%M")


def sequence(question):
    a, b, c, *rest = terms = numbers(question)
    growth = c - 2 * b + a
    assert all(z - 2 * y + x == growth for x, y, z in zip(terms, terms[1:], terms[2:], strict=False))
    return str(2 * terms[-1] - terms[-2] + growth)


def ordering(question):
    pairs = re.findall(r"(\w+) is \w+ than (\w+)\.", question)
    people = {person for pair in pairs for person in pair}
    [order] = [
        order
        for order in itertools.permutations(people)
        if all(order.index(more) < order.index(less) for more, less in pairs)
    ]
    rank = re.search(r"Who is the (?:(second|third|fourth|fifth) )?\w+\?", question)[1]
    return order[(None, "second", "third", "fourth", "fifth").index(rank)]


def weekday(question):
    today, days = re.search(r"today is (\w+)\.", question)[1], numbers(question)[0]
    date = datetime.date(2024, 1, 1)
    while date.strftime("%A") != today:
        date += datetime.timedelta(days=1)
    way = -1 if "ago" in question else 1
    return (date + way * datetime.timedelta(days=days)).strftime("%A")


def truth_tellers(question):
    people = re.match(r"Of (\w+), (\w+) and (\w+),", question).groups()
    claims = re.findall(r'(\w+) says: "(\w+) always (tells the truth|lies)\."', question)
    honest_count = {"one": 1, "two": 2}[re.search(r"exactly (one|two)", question)[1]]
    cases = []
    for honest in itertools.combinations(people, honest_count):
        if all(((about in honest) == (says != "lies")) == (speaker in honest) for speaker, about, says in claims):
            cases.append(honest)
    [honest] = cases
    asked = honest if question.endswith("Who always tells the truth?") else set(people) - set(honest)
    [answer] = asked
    return answer


def boxes(question):
    colours = re.search(r"has an? (\w+), an? (\w+) and an? (\w+) box", question).groups()
    fruits = re.search(r"One holds (\w+), one (\w+) and one (\w+)\.", question).groups()
    clues = re.findall(r"The (\w+) box does not hold the (\w+)\.", question)
    fillings = [dict(zip(colours, order, strict=True)) for order in itertools.permutations(fruits)]
    [filling] = [one for one in fillings if all(one[colour] != fruit for colour, fruit in clues)]
    asked = re.search(r"the box with the (\w+)\?", question)[1]
    return next(colour for colour, fruit in filling.items() if fruit == asked)


EVALUATIONS = {
    "expression": expression, "shopping": shopping, "sharing": sharing, "discount": discount, "journey": journey,
    "clock": clock, "sequence": sequence, "ordering": ordering, "weekday": weekday, "truth-tellers": truth_tellers,
    "boxes": boxes,
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_every_answer_is_what_an_independent_evaluation_of_the_question_gives(family):
    assert len(BY_FAMILY[family]) == 300
    for task in BY_FAMILY[family]:
        assert task.answers == (EVALUATIONS[family](task.question),), task.question


@pytest.mark.parametrize("family", ["expression", "shopping", "sharing", "discount", "journey", "sequence"])
def test_every_equation_of_a_solution_holds(family):
    for task in BY_FAMILY[family]:
        equations = re.findall(r"([\d+×/ -]*\d) = (-?\d+)", solution(task))
        assert equations
        for left, right in equations:
            assert eval(left.replace("×", "*")) == int(right), solution(task)


def test_one_of_a_thing_is_said_in_the_singular():
    texts = [f"{task.question} {solution(task)}" for task in TASKS]
    assert any("I count 1 day " in text for text in texts) and any(" 1 is left over." in text for text in texts)
    for text in texts:
        assert not re.search(r"(?<![\d.:,])1 (?:(?!is\b|comes\b)[a-z]{3,}s|are|come)\b", text), text


def test_a_solution_ends_with_the_answer_and_belongs_to_its_own_task_only():
    for task in TASKS:
        assert solution(task).endswith(f"{task.answers[0]}.")
    assert solution(tiny_task()) is None
    assert solution(tiny_task(TASKS[0].task_id, answers=("1",))) is None


def test_tens_of_thousands_of_questions_are_distinct():
    asked = Counter(task.question for task in text_tasks(30_000))
    assert len(asked) >= 29_000


def test_a_task_depends_on_seed_and_index_alone():
    assert list(text_tasks(20, 3)) == list(text_tasks(500, 3)[:20]) and text_tasks(20, 3)[7] == text_tasks(9, 3)[-2]
    assert list(text_tasks(20, 3)) != list(text_tasks(20, 4))


@pytest.mark.parametrize("dialect", ["default", "qwen2.5-vl", "qwen3-vl", "released"])
def test_every_family_is_played_to_a_right_answer(dialect):
    tasks, dialect = text_tasks(3 * len(FAMILIES)), dialect_named(dialect)
    env = PixelEnv(TaskSet("text", tasks), dialect=dialect)
    for task in tasks:
        env.reset(options={"task_id": task.task_id})
        [turn] = traced(Plan(task, PlanKind.TEXT_ONLY), Narration(solution(task)), dialect).turns
        assert env.step(turn.text)[1:3] == (1.0, True)
