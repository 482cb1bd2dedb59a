"""The core loop: ids as sampled, masks, chunks, forced turns, failures, limits, and independence from timing."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.protocol import Response, Truncation
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, MediaError, UnknownNameError
from pixel_env.failures import FailureCode
from pixel_env.tasks import load_tasks
from pixel_env.testing import BrokenSource, tiny_task, tiny_task_set
from pixel_env.types import Limits, Prompt, Stop, Unfinished

TINY = dialect_named("tiny")
CHAT = PlainChat(TINY)
CALL = "<crop> 1 1 9 9"


def play(tasks, script, *, limits=None, sampling=None, engine=None, **options):
    settings = EpisodeSettings(TINY, limits or Limits(max_turns=3), TINY.budgets)
    engine = engine or ScriptedEngine(script, CHAT)
    return rollout(tasks, engine, CHAT, settings=settings, sampling=sampling or Sampling(), seed=0, **options)


def sampled_text(result):
    return CHAT.decode([id for id, sampled in zip(result.completion_ids, result.sampled, strict=True) if sampled])


class Recorder:
    """An engine that remembers the requests that another one serves."""

    def __init__(self, engine, static=False):
        self.engine, self.static, self.requests, self.batches = engine, static, [], []

    @property
    def in_flight(self):
        return self.engine.in_flight

    def cancel(self):
        self.engine.cancel()

    def submit(self, request):
        self.requests.append(request)
        self.engine.submit(request)

    def poll(self):
        responses = self.engine.poll()
        self.batches.append(len(responses))
        return responses


def test_ids_are_the_prompt_and_what_was_sampled_and_what_came_back():
    task = tiny_task()
    (result,) = play([task], in_turn(CALL, "<answer>7"))
    trajectory = result.trajectory
    assert (trajectory.stop, trajectory.reward) == (Stop.ANSWERED, 1.0)
    shown = TINY.budgets.crop.max_pixels // TINY.budgets.crop.factor**2
    call, answer = CHAT.encode(CALL), CHAT.encode("<answer>7")
    gap = len(result.completion_ids) - len(call) - len(answer)
    assert result.completion_ids[: len(call)] == call
    assert result.completion_ids[-len(answer) :] == answer
    assert result.completion_ids.count(CHAT.image_id) == shown
    assert result.sampled == (True,) * len(call) + (False,) * gap + (True,) * len(answer)
    assert len(result.logprobs) == len(result.completion_ids)
    assert result.views == trajectory.views


def test_the_next_prompt_is_the_glued_ids_never_a_rendering():
    recorder = Recorder(ScriptedEngine(in_turn(CALL, "<answer>7"), CHAT))
    (result,) = play([tiny_task()], None, engine=recorder)
    first, second = recorder.requests
    assert first.prompt_ids == result.prompt_ids
    assert second.prompt_ids == (result.prompt_ids + result.completion_ids)[: len(second.prompt_ids)]
    assert [len(first.images), len(second.images)] == [1, 2]
    assert first.banned_ids >= CHAT.banned_ids
    assert first.seed != second.seed


def test_a_cut_chunk_is_continued_with_nothing_between():
    text = "a long thought <answer>7"
    chunks = [text[:10], text[10:20], text[20:]]

    def script(conversation):
        said = conversation.text.rpartition("[assistant]")[2]
        return text[len(said) :]

    (result,) = play([tiny_task()], script, sampling=Sampling(max_turn_tokens=10), limits=Limits(max_turns=8))
    trajectory = result.trajectory
    # "<answer>" straddles two chunks.
    assert (trajectory.stop, trajectory.answer) == (Stop.ANSWERED, "7")
    assert [turn.text for turn in trajectory.turns] == chunks
    assert [isinstance(turn.text, Unfinished) for turn in trajectory.turns] == [True, True, False]
    assert all(result.sampled)
    assert result.completion_ids == CHAT.encode(text)


def test_a_cut_call_is_refused_and_its_missing_end_is_not_sampled():
    (result,) = play([tiny_task()], in_turn(CALL, "<answer>7"), sampling=Sampling(max_turn_tokens=9))
    assert result.trajectory.turns[0].failure.code is FailureCode.CUT_OFF
    cut = CHAT.encode(CALL)[:9]
    assert result.completion_ids[: len(cut) + 1] == (*cut, CHAT.end_id)
    assert result.sampled[: len(cut) + 1] == (True,) * len(cut) + (False,)


def test_a_finished_turn_without_call_or_answer_is_answered_with_what_is_expected():
    (result,) = play([tiny_task()], in_turn("hm", "<answer>7"))
    assert TINY.wording.expected in CHAT.decode(result.completion_ids)
    assert sampled_text(result) == "hm[end]<answer>7"


def test_forced_turns_are_played_and_not_sampled():
    (result,) = play([tiny_task()], in_turn("never said", "<answer>7"), forced=lambda task: [CALL])
    assert [turn.text for turn in result.trajectory.turns] == [CALL, "<answer>7"]
    assert sampled_text(result) == "<answer>7"
    assert result.trajectory.valid_operations == 1


def test_an_episode_may_be_forced_to_its_end():
    (result,) = play([tiny_task()], None, forced=lambda task: [CALL, "<answer>7"])
    assert result.trajectory.reward == 1.0
    assert not any(result.sampled)


def test_pictures_of_an_observation_that_ends_the_episode_are_not_in_the_ids():
    (result,) = play([tiny_task()], in_turn(CALL), limits=Limits(max_turns=2))
    assert result.trajectory.stop is Stop.TURNS
    assert len(result.trajectory.views) == 3
    assert len(result.views) == 2
    pictures = [budget.max_pixels // budget.factor**2 for budget in (TINY.budgets.original, TINY.budgets.crop)]
    ids = result.prompt_ids + result.completion_ids
    assert ids.count(CHAT.image_id) == sum(pictures)


def test_one_failing_episode_does_not_stop_the_others():
    tasks = [tiny_task("a"), tiny_task("broken", sources=(BrokenSource(),)), tiny_task("c"), tiny_task("d")]

    def script(conversation):
        if conversation.request.request_id % len(tasks) == 2:
            raise ValueError("no words")
        return "<answer>7"

    a, broken, c, d = play(tasks, script)
    assert [r.trajectory.stop for r in (a, broken, c, d)] == [Stop.ANSWERED, Stop.FAILED, Stop.FAILED, Stop.ANSWERED]
    assert "MediaError" in broken.trajectory.error
    assert (broken.prompt_ids, broken.completion_ids) == ((), ())
    assert "no words" in c.trajectory.error
    assert c.prompt_ids and not c.completion_ids and len(c.views) == 1


def test_a_placeholder_that_was_sampled_fails_its_own_episode_by_task_and_count():
    class Straying(ScriptedEngine):
        def poll(self):
            return [
                replace(one, token_ids=(CHAT.image_id,) * 2 + one.token_ids, logprobs=(0.0,) * 2 + one.logprobs)
                if one.request_id == 1
                else one
                for one in super().poll()
            ]

    tasks = [tiny_task("a"), tiny_task("strays"), tiny_task("c")]
    results = play(tasks, None, engine=Straying(in_turn("<answer>7"), CHAT))
    assert [r.trajectory.stop for r in results] == [Stop.ANSWERED, Stop.FAILED, Stop.ANSWERED]
    strays = results[1].trajectory
    assert strays.task.task_id == "strays" and f"2 banned tokens: [{CHAT.image_id}]" in strays.error
    assert results[1].prompt_ids and not results[1].completion_ids


def test_forced_turns_that_cannot_be_made_fail_their_episode():
    tasks = [tiny_task("a"), tiny_task("unreadable"), tiny_task("c")]

    def forced(task):
        if task.task_id == "unreadable":
            raise MediaError("the picture cannot be read")
        return [CALL]

    stops = [result.trajectory.stop for result in play(tasks, in_turn("<answer>7"), forced=forced)]
    assert stops == [Stop.ANSWERED, Stop.FAILED, Stop.ANSWERED]


@pytest.mark.parametrize("mistake", [UnknownNameError, ConfigError])
def test_forced_turns_that_are_the_users_mistake_are_raised(mistake):
    def forced(task):
        raise mistake("no policy of that name")

    with pytest.raises(mistake, match="no policy"):
        play([tiny_task()], in_turn("<answer>7"), forced=forced)


def test_a_question_that_is_too_long_ends_its_own_episode_only():
    tasks = [tiny_task("short", question="?"), tiny_task("long", question="? " * 5_000)]
    short, long = play(tasks, in_turn("<answer>7"), limits=Limits(max_tokens=2_000))
    assert short.trajectory.stop is Stop.ANSWERED
    assert long.trajectory.stop is Stop.FAILED and "limits.max_tokens" in str(long.trajectory.error)


def test_the_context_never_exceeds_the_episodes_tokens():
    for max_tokens in range(60, 240, 7):
        limits = Limits(max_turns=6, max_tokens=max_tokens)
        (result,) = play([tiny_task(question="?")], in_turn("thinking", CALL, CALL, CALL, CALL), limits=limits)
        assert result.trajectory.stop in (Stop.TOKENS, Stop.TURNS)
        assert len(result.prompt_ids) + len(result.completion_ids) <= max_tokens
        # No picture is cut in half.
        sizes = [64] * (len(result.views) - 1)
        assert (result.prompt_ids + result.completion_ids).count(CHAT.image_id) == 16 + sum(sizes)


def test_results_come_in_order_and_each_is_announced_once():
    tasks = list(tiny_task_set(5).tasks) * 3
    finished = []

    def script(conversation):
        return CALL if conversation.turn < conversation.request.request_id % 3 else "<answer>3"

    results = play(tasks, script, on_finish=finished.append)
    assert [result.index for result in results] == list(range(15))
    assert [result.trajectory.task for result in results] == tasks
    assert sorted(result.index for result in finished) == list(range(15))


def test_seeds_depend_on_the_question_and_its_occurrence_not_on_company():
    def seeds(tasks):
        recorder = Recorder(ScriptedEngine(in_turn("hm", "<answer>1"), CHAT))
        results = play(tasks, None, engine=recorder)
        first_turns = {r.prompt_ids: [] for r in recorder.requests if r.request_id < len(tasks)}
        for request in sorted(recorder.requests, key=lambda r: r.request_id):
            first_turns.setdefault(request.prompt_ids, []).append(request.seed)
        assert len(results) == len(tasks)
        return first_turns

    a, b = tiny_task("a", question="a"), tiny_task("b", question="b")
    together, alone = seeds([b, a, b, a]), seeds([a, a])
    for prompt, values in alone.items():
        assert together[prompt] == values
    every = [seed for values in together.values() for seed in values]
    assert len(set(every)) == len(every) == 8


class Slow:
    """Answers one request a poll, the last one first, after a pause: other timing, same result."""

    static = False

    def __init__(self, engine):
        self.engine, self.finished = engine, []

    @property
    def in_flight(self):
        return self.engine.in_flight + len(self.finished)

    def cancel(self):
        self.engine.cancel()

    def submit(self, request):
        self.engine.submit(request)

    def poll(self):
        time.sleep(0.002)
        self.finished += self.engine.poll()
        return [self.finished.pop()] if self.finished else []


def test_timing_does_not_change_the_result():
    tasks = list(tiny_task_set(4).tasks) * 2

    def script(conversation):
        return f"<crop> 1 1 {5 + conversation.request.seed % 8} 9" if conversation.turn < 2 else "<answer>1"

    fast = play(tasks, script)
    slow = play(tasks, None, engine=Slow(ScriptedEngine(script, CHAT)))
    assert [r.completion_ids for r in fast] == [r.completion_ids for r in slow]


def test_a_static_engine_gets_whole_batches_and_few_live_episodes_if_asked():
    tasks = list(tiny_task_set(6).tasks)
    recorder = Recorder(ScriptedEngine(in_turn(CALL, "<answer>1"), CHAT), static=True)
    play(tasks, None, engine=recorder)
    assert recorder.batches == [6, 6]
    recorder = Recorder(ScriptedEngine(in_turn(CALL, "<answer>1"), CHAT), static=True)
    assert len(play(tasks, None, engine=recorder, max_live=4)) == 6
    assert max(recorder.batches) == 4


def test_an_engine_that_loses_a_request_is_named():
    class Lossy(Recorder):
        def poll(self):
            self.engine.poll()
            return []

    with pytest.raises(RuntimeError, match="lost 1 requests"):
        play([tiny_task()], None, engine=Lossy(ScriptedEngine(in_turn("x"), CHAT)))


def test_an_engines_error_fails_its_episode():
    class Failing(Recorder):
        def poll(self):
            served = self.engine.poll()
            return [Response(r.request_id, (), (), ended=True, error="out of memory") for r in served]

    (result,) = play([tiny_task()], None, engine=Failing(ScriptedEngine(in_turn("x"), CHAT)))
    assert result.trajectory.stop is Stop.FAILED
    assert "out of memory" in result.trajectory.error


def test_a_scripted_rollout_imports_no_model_library():
    code = (
        "import sys, agents.rollout, agents.engines.scripted\n"
        "sys.exit([m for m in ('torch', 'transformers', 'trl', 'datasets') if m in sys.modules] or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_plain_chat_round_trips():
    for text in (CALL, "<answer>naïve", "", "a <crop> 1 <crop> 2"):
        assert CHAT.decode(CHAT.encode(text)) == text
    assert CHAT.call_opening_ids() <= set(CHAT.encode(CALL))
    assert CHAT.reply("x", (), ended=False) == (CHAT.end_id, *CHAT.reply("x", (), ended=True))
    assert CHAT.count_tokens("x", [(32, 48)]) == len(CHAT.reply("x", (), ended=False)) + 6
    assert "[system]Be brief.[end]" in CHAT.decode(CHAT.open(Prompt("Be brief.", "?"), ()))


def test_the_rollouts_of_a_question_hold_its_overview_once_between_them():
    tasks = load_tasks("sample:vstar-tiny", split="test", count=2)
    shown = {}

    def script(conversation):
        for image in conversation.request.images:
            shown.setdefault((conversation.request.images[0].tobytes(), image.shape), set()).add(id(image))
        kept.append(conversation.request.images)
        return in_turn("<crop> 0 0 4 4", "<answer>7")(conversation)

    kept = []  # so that no array's place in memory is used again
    play([tasks.tasks[0]] * 6 + [tasks.tasks[1]] * 2, script)
    overviews = {id(images[0]) for images in kept}
    assert len(kept) == 16 and len(overviews) == 2
    assert all(len(arrays) == 1 for arrays in shown.values())  # the same crop of the same question, too


# ------------------------------------------------------------------------------------- what begins and ends a turn


def play_in(dialect, script, *, limits=None, tasks=None, **options):
    chat = PlainChat(dialect)
    recorder = Recorder(ScriptedEngine(script, chat))
    settings = EpisodeSettings(dialect, limits or Limits(max_turns=3), dialect.budgets)
    played = rollout(tasks or [tiny_task()], recorder, chat, settings=settings, sampling=Sampling(**options), seed=0)
    return played[0], recorder.requests, chat


def test_what_the_dialect_begins_a_turn_with_is_read_and_not_sampled():
    dialect = replace(TINY, prefill="I see ", last_prefill="<answer>")
    played, requests, chat = play_in(dialect, in_turn("it <crop> 1 1 9 9", "<crop> 2 2 8 8", "7"))
    trajectory = played.trajectory
    assert [turn.text for turn in trajectory.turns] == ["I see it <crop> 1 1 9 9", "I see <crop> 2 2 8 8", "<answer>7"]
    assert trajectory.answer == "7" and trajectory.stop is Stop.ANSWERED
    marked = list(zip(played.completion_ids, played.sampled, strict=True))
    assert chat.decode([id for id, is_sampled in marked if is_sampled]) == (
        "it <crop> 1 1 9 9[end]<crop> 2 2 8 8[end]7"
    )
    assert [chat.decode(request.prompt_ids).rpartition("[assistant]")[2] for request in requests] == [
        "I see ", "I see ", "<answer>"
    ]  # fmt: skip
    assert [request.opening for request in requests] == ["I see ", "I see ", "<answer>"]
    assert [logprob for (_, is_sampled), logprob in zip(marked, played.logprobs, strict=True) if not is_sampled] == (
        [0.0] * (len(marked) - sum(played.sampled))
    )


def test_a_turn_that_was_cut_is_continued_without_being_begun_again():
    dialect = replace(TINY, prefill="I see ")
    text = "a card <answer>7"

    def script(conversation):
        said = conversation.text.rpartition("[assistant]")[2].removeprefix("I see ")
        return text[len(said) :]

    played, requests, chat = play_in(dialect, script, max_turn_tokens=6, limits=Limits(max_turns=5))
    assert played.trajectory.answer == "7"
    assert "".join(turn.text for turn in played.trajectory.turns) == "I see " + text
    assert chat.decode(played.completion_ids) == "I see " + text
    assert [request.opening for request in requests] == ["I see ", "", ""]


def test_no_conversation_is_longer_than_allowed_with_what_the_dialect_begins_turns_with():
    dialect = replace(TINY, prefill="I see a card here and more beside it: ")
    whole = len(play_in(dialect, in_turn(CALL, CALL, "<answer>7"), limits=Limits(max_turns=3))[0].completion_ids)
    stops = set()
    for max_tokens in range(60, 60 + whole, 5):
        limits = Limits(max_turns=3, max_tokens=max_tokens)
        played, _, _ = play_in(dialect, in_turn(CALL, CALL, "<answer>7"), limits=limits)
        assert len(played.prompt_ids) + len(played.completion_ids) <= max_tokens
        stops.add(played.trajectory.stop)
    assert Stop.TOKENS in stops


def test_forced_turns_begin_as_the_dialect_says():
    dialect = replace(TINY, prefill="I see ")
    chat = PlainChat(dialect)
    settings = EpisodeSettings(dialect, Limits(max_turns=3), dialect.budgets)
    engine = ScriptedEngine(in_turn("never", "<answer>7"), chat)
    [played] = rollout(
        [tiny_task()], engine, chat, settings=settings, sampling=Sampling(), seed=0,
        forced=lambda task: ["I see <crop> 1 1 9 9"],
    )  # fmt: skip
    assert [turn.text for turn in played.trajectory.turns] == ["I see <crop> 1 1 9 9", "I see <answer>7"]


class StopsAt:
    """An engine that ends each turn after its stop text, as those that generate do: without the end token."""

    static, in_flight = True, 0

    def __init__(self, chat, *texts):
        self.chat, self.texts, self.requests = chat, iter(texts), []

    def submit(self, request):
        self.requests.append(request)

    def poll(self):
        pending, self.requests = self.requests, []
        return [self._stopped(request) for request in pending]

    def cancel(self):
        self.requests = []

    def _stopped(self, request):
        [stop] = request.stop
        before, mark, _ = next(self.texts).partition(stop)
        ids = self.chat.fragment(before + mark)
        return Response(request.request_id, ids, (0.0,) * len(ids), ended=True)


def test_a_turn_that_ended_at_a_stop_text_gets_the_end_that_it_lacks_unsampled():
    dialect = replace(dialect_named("default"), stop=("</tool_call>",))
    chat = PlainChat(dialect)
    settings = EpisodeSettings(dialect, Limits(max_turns=3), dialect.budgets)
    call = '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 1, 1], "target_image": 1}}</tool_call>'
    engine = StopsAt(chat, f"{call} and then I imagine the result", "\\boxed{7}")
    [played] = rollout([tiny_task()], engine, chat, settings=settings, sampling=Sampling(), seed=0)
    assert [turn.text for turn in played.trajectory.turns] == [call, "\\boxed{7}"]
    assert played.trajectory.answer == "7" and played.trajectory.valid_operations == 1
    end = len(chat.fragment(call))
    assert played.completion_ids[end] == chat.end_id and not played.sampled[end] and all(played.sampled[:end])


def test_the_stop_texts_and_the_truncation_reach_the_engine():
    truncation = Truncation(top_p=0.9, top_k=20)
    dialect = replace(TINY, stop=("</answer>",))
    _, requests, _ = play_in(dialect, in_turn("<answer>7"), truncation=truncation)
    assert [(request.stop, request.truncation) for request in requests] == [(("</answer>",), truncation)]
