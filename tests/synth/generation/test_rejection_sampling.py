"""Text-only traces are sampled from an engine, and only right and suitable samples are kept."""

from collections import Counter

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling
from agents.traces.trace import TraceTurn
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.testing import tiny_task
from pixel_env.types import Limits
from synth.generation.rejection_sampling import Rejected, sampled_traces
from synth.plans.plan import PlanKind
from synth.teachers.expert.reply import MAX_CHARACTERS

DIALECT = dialect_named("default")
CHAT = PlainChat(DIALECT)
SETTINGS = EpisodeSettings(DIALECT, Limits(max_turns=3), DIALECT.budgets)
RIGHT = r"Three and four make seven, so it is \boxed{7}."
CALL = '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 1, 1], "target_image": 1}}</tool_call>'


def question(task_id="sum", **fields):
    return tiny_task(task_id, **{"question": "3 + 4?", "sources": (), "media": "text", "evidence": (), **fields})


class Drawn:
    """An engine that answers a question's k-th request with its k-th text; it remembers the requests."""

    def __init__(self, texts):
        self.texts, self.requests = texts, []
        self.engine = ScriptedEngine(self.say, CHAT)

    def say(self, conversation):
        earlier = [asked for asked, _ in self.requests]
        key = next(name for name in self.texts if name in conversation.text)
        self.requests.append((key, conversation.request.seed))
        return self.texts[key][min(earlier.count(key), len(self.texts[key]) - 1)]


def sampled(tasks, engine, samples=4, temperature=1.0, seed=0):
    sampling = Sampling(temperature, 4 * MAX_CHARACTERS)
    return sampled_traces(tasks, engine, CHAT, settings=SETTINGS, sampling=sampling, samples=samples, seed=seed)


def test_the_first_right_sample_is_kept_verbatim_and_the_question_not_sampled_again():
    drawn = Drawn({"3 + 4?": [r"Maybe, by a guess of mine, \boxed{8}", RIGHT, "never"]})
    result = sampled([question()], drawn.engine)
    [trace] = result.traces
    assert trace.turns == (TraceTurn(RIGHT),) and trace.kind == PlanKind.TEXT_ONLY
    assert result.rejected == {Rejected.WRONG: 1} and result.unsolved == () and len(drawn.requests) == 2


def test_every_sample_of_a_question_has_a_seed_of_its_own_and_the_same_in_every_run():
    runs = []
    for _ in range(2):
        drawn = Drawn({"3 + 4?": [r"It is surely and plainly \boxed{8}"]})
        sampled([question()], drawn.engine)
        runs.append([seed for _, seed in drawn.requests])
    assert runs[0] == runs[1] and len(set(runs[0])) == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"\boxed{7}", Rejected.NO_REASONING),
        (r"Four and four make eight, so it is \boxed{8}.", Rejected.WRONG),
        ("I do not know, and go on and on about it.", Rejected.UNANSWERED),
        (CALL, Rejected.OPERATION),
        ("Three and four \x07 make seven: \\boxed{7}", Rejected.CONTROL_CHARACTERS),
        ("A " * (MAX_CHARACTERS // 2) + r"and so it is \boxed{7}", Rejected.TOO_LONG),
        ("A " * MAX_CHARACTERS, Rejected.UNANSWERED),
    ],
)
def test_a_sample_that_makes_no_trace_is_counted_by_its_reason(text, reason):
    result = sampled([question()], Drawn({"3 + 4?": [text]}).engine, samples=2)
    assert result.rejected == Counter({reason: 2}) and not result.traces
    assert [(task.task_id, why) for task, why in result.unsolved] == [("sum", reason)]


def test_an_answer_after_a_turn_without_one_is_not_kept():
    result = sampled([question()], Drawn({"3 + 4?": ["Let me think about this first.", RIGHT]}).engine, samples=1)
    assert result.rejected == {Rejected.SEVERAL_TURNS: 1}


def test_an_engine_that_fails_is_counted_and_sampled_again():
    def say(conversation):
        seeds.append(conversation.request.seed)
        if len(seeds) == 1:
            raise RuntimeError("out of memory")
        return RIGHT

    seeds = []
    result = sampled([question()], ScriptedEngine(say, CHAT))
    assert result.rejected == {Rejected.FAILED: 1} and len(result.traces) == 1 and "out of memory" in result.error


def test_traces_come_in_the_order_of_their_questions_whenever_they_were_found():
    wrong = r"Here I say without a doubt \boxed{9}"
    drawn = Drawn({"late?": [wrong, wrong, RIGHT], "soon?": [RIGHT], "never?": [wrong]})
    tasks = [question(name, question=f"{name}?") for name in ("late", "never", "soon")]
    result = sampled(tasks, drawn.engine)
    assert [trace.task.task_id for trace in result.traces] == ["late", "soon"]
    assert [task.task_id for task, _ in result.unsolved] == ["never"] and result.rejected[Rejected.WRONG] == 6


def test_a_question_about_a_image_is_refused_with_the_way_out():
    with pytest.raises(TaskError, match="Leave the task out"):
        sampled([tiny_task()], Drawn({"": [RIGHT]}).engine)


def test_several_greedy_samples_are_refused():
    with pytest.raises(ConfigError, match="temperature above 0"):
        sampled([question()], Drawn({"": [RIGHT]}).engine, temperature=0.0)
