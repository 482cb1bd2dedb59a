"""How long episodes of many turns take when none waits for another's turn, beside TRL's own lock-step loop.

    python examples/measure_turns.py        # 64 episodes, 5 ms a token, 50 ms an operation: under a minute

No model runs: a stub says turns of given lengths, all that are under way at once, each token in the same time. For
`rollout()` a turn takes as long as its own tokens; for TRL a batch of turns takes as long as its longest, because
`_generate_single_turn`, the one step of `GRPOTrainer(environment_factory=...)` that is replaced, returns them together.
Every turn but an episode's last asks for one operation. TRL runs blocking tools one after another; of awaited ones it
gathers those of one turn, so one a turn is one at a time. `rollout()` plays with pictures, TRL with text,
and its time is that of `_generate`, from the prompts to the completions: neither `reset` nor rewards count.
"""

import argparse
import asyncio
import heapq
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from transformers import Qwen3Config, Qwen3ForCausalLM
from trl import GRPOConfig, GRPOTrainer
from trl.chat_template_utils import qwen3_instruct_2507_chat_template

from agents.chat.plain import PlainChat
from agents.checkpoints.tiny import train_tokenizer
from agents.engines.protocol import Request, Response
from agents.engines.scripted import Conversation, ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.testing import tiny_task
from pixel_env.types import Limits

MAX_TURNS = 6
TURN_TOKENS = (20, 200)
TINY = dialect_named("tiny")


@dataclass(frozen=True, slots=True)
class Workload:
    """What is played. `episodes`: for each one the number of tokens of each of its turns."""

    episodes: tuple[tuple[int, ...], ...]
    token_s: float
    operation_s: float

    @property
    def operations(self) -> int:
        """One after each turn but an episode's last."""
        return sum(len(turns) - 1 for turns in self.episodes)

    @property
    def ideal_s(self) -> float:
        """The longest episode, alone."""
        return max(sum(turns) * self.token_s + (len(turns) - 1) * self.operation_s for turns in self.episodes)

    @property
    def lock_step_s(self) -> float:
        """The longest turn of every round, and all operations one after another: the loop without its own work."""
        rounds = [[turns[turn] for turns in self.episodes if turn < len(turns)] for turn in range(MAX_TURNS)]
        return sum(max(tokens, default=0) for tokens in rounds) * self.token_s + self.operations * self.operation_s


def drawn(episodes: int, rng: np.random.Generator, *, token_s: float, operation_s: float) -> Workload:
    """1 to 6 turns an episode, uniform; 20 to 200 tokens a turn, log-uniform."""
    low, high = np.log(TURN_TOKENS)
    turns = rng.integers(1, MAX_TURNS + 1, size=episodes)
    lengths = [tuple(round(tokens) for tokens in np.exp(rng.uniform(low, high, size=count))) for count in turns]
    return Workload(tuple(lengths), token_s, operation_s)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of playing a workload. `cpu_s`: work in this process; `turns_E`, `operations_E`: of each episode (E)."""

    way: str
    seconds: float
    cpu_s: float
    turns_E: tuple[int, ...]
    operations_E: tuple[int, ...]
    tokens: int
    peak_episodes: int


def clocks() -> np.ndarray:
    """Seconds of the wall and of work in this process, (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


class TimedEngine:
    """The scripted engine, each response held back for as long as its tokens take."""

    static = False

    def __init__(self, scripted: ScriptedEngine, token_s: float) -> None:
        self._scripted = scripted
        self._token_s = token_s
        self._due: list[tuple[float, int, Response]] = []

    @property
    def in_flight(self) -> int:
        """Turns that are being generated."""
        return len(self._due)

    def submit(self, request: Request) -> None:
        """Begin the turn now."""
        self._scripted.submit(request)
        [response] = self._scripted.poll()
        due = time.perf_counter() + len(response.token_ids) * self._token_s
        heapq.heappush(self._due, (due, response.request_id, response))

    def cancel(self) -> None:
        """Forget them."""
        self._due.clear()

    def poll(self) -> list[Response]:
        """The turns that are finished by now, after a sleep of one token at most."""
        if self._due:
            time.sleep(min(max(self._due[0][0] - time.perf_counter(), 0.0), self._token_s))
        finished = []
        while self._due and self._due[0][0] <= time.perf_counter():
            finished.append(heapq.heappop(self._due)[2])
        return finished


class SlowOperations(PlainChat):
    """The plain chat, each observation late: `reply` runs in the operation's thread, once per operation."""

    operation_s = 0.0

    def reply(self, *arguments: Any, **keywords: Any) -> tuple[int, ...]:
        """What the operation brought, after the time that it takes."""
        time.sleep(self.operation_s)
        return super().reply(*arguments, **keywords)


def through_rollout(work: Workload) -> Measured:
    """The workload through `rollout()`. A task's question is its episode's number, so the stub can tell."""
    chat = SlowOperations(TINY)
    chat.operation_s = work.operation_s
    moves: list[int] = []  # 1 where an episode begins, -1 where one ends

    def say(conversation: Conversation) -> str:
        tokens = work.episodes[int(conversation.text.removeprefix("[user]").partition("[end]")[0])]
        if conversation.turn == 0:
            moves.append(1)
        ending = "<crop> 4 4 12 12" if conversation.turn + 1 < len(tokens) else "<answer>7"
        return "." * (tokens[conversation.turn] - len(chat.encode(ending))) + ending

    started = clocks()
    results = rollout(
        [tiny_task(f"episode-{number}", question=str(number)) for number in range(len(work.episodes))],
        TimedEngine(ScriptedEngine(say, chat), work.token_s),
        chat,
        settings=EpisodeSettings(TINY, Limits(max_turns=MAX_TURNS), TINY.budgets),
        sampling=Sampling(),
        seed=0,
        on_finish=lambda _: moves.append(-1),
    )
    seconds, cpu_s = (clocks() - started).tolist()
    return Measured(
        way="rollout()",
        seconds=seconds,
        cpu_s=cpu_s,
        turns_E=tuple(len(result.trajectory.turns) for result in results),
        operations_E=tuple(sum(len(turn.views) for turn in result.trajectory.turns) for result in results),
        tokens=sum(sum(result.sampled) for result in results),
        peak_episodes=max(accumulate(moves)),
    )


CALL = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>'


class Room:
    """An environment as TRL takes them: `look` is its tool. Counts what was executed."""

    def __init__(self, operation_s: float) -> None:
        self._operation_s = operation_s

    def reset(self, **_: Any) -> None:
        """An episode begins."""
        self._operations = 0

    def look(self) -> str:
        """Look closer."""
        time.sleep(self._operation_s)
        self._operations += 1
        return "Nothing new."


class AsyncRoom(Room):
    """The same with a tool that TRL awaits."""

    async def look(self) -> str:
        """Look closer."""
        self._operations += 1
        return await asyncio.sleep(self._operation_s, "Nothing new.")


class StubbedTrainer(GRPOTrainer):
    """TRL's trainer, its generator replaced by the stub, which says `work`, and its `_generate` timed."""

    work: Workload
    turns_said_E: list[int]

    def _generate(self, prompts: list[Any]) -> Any:
        started = clocks()
        result = super()._generate(prompts)
        self.taken = (clocks() - started).tolist()
        return result

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        # The loop keeps the order of its rows and drops those that have ended, so the rows tell their episodes.
        turn = max(self.turns_said_E)
        going_on = [number for number, tokens in enumerate(self.work.episodes) if len(tokens) > turn]
        time.sleep(max(self.work.episodes[number][turn] for number in going_on) * self.work.token_s)
        return [self._said(number, turn) for number, _ in zip(going_on, prompt_ids, strict=True)], None

    def _said(self, number: int, turn: int) -> list[int]:
        tokens = self.work.episodes[number]
        self.turns_said_E[number] += 1
        ending = [*self._tokenizer.encode(CALL if turn + 1 < len(tokens) else "7"), self._tokenizer.eos_token_id]
        return [*self._tokenizer.encode(".") * (tokens[turn] - len(ending)), *ending]


def through_trl(work: Workload, room: type[Room], way: str) -> Measured:
    """The workload through GRPOTrainer's tool loop, one environment an episode."""
    tokenizer = train_tokenizer([CALL], vocabulary=400)  # writes the call in fewer tokens than the shortest turn has
    tokenizer.add_tokens(["<tool_call>", "</tool_call>"])
    tokenizer.chat_template = qwen3_instruct_2507_chat_template
    count = len(work.episodes)
    with tempfile.TemporaryDirectory() as folder:
        arguments = GRPOConfig(
            output_dir=folder,
            per_device_train_batch_size=count,
            num_generations=count,
            max_completion_length=2**15,
            max_steps=1,
            use_cpu=True,
        )
        trainer = StubbedTrainer(
            Qwen3ForCausalLM(Qwen3Config(vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1)),  # never runs
            reward_funcs=lambda completions, **_: [0.0] * len(completions),  # TRL asks for one
            args=arguments,
            processing_class=tokenizer,
            environment_factory=partial(room, work.operation_s),
        )
    trainer.work, trainer.turns_said_E = work, [0] * count
    rows = [{"prompt": [{"role": "user", "content": str(number)}]} for number in range(count)]
    output = trainer._generate_and_score_completions(rows)
    return Measured(
        way=way,
        seconds=trainer.taken[0],
        cpu_s=trainer.taken[1],
        turns_E=tuple(trainer.turns_said_E),
        operations_E=tuple(environment._operations for environment in trainer.environments),
        tokens=int((output["completion_mask"] * output["tool_mask"]).sum()),
        peak_episodes=len(trainer.environments),  # all are reset before the first turn
    )


def table(work: Workload, measured: Sequence[Measured]) -> str:
    """Every way, its time also in units of the first one's, and what arithmetic says."""
    first = measured[0].seconds
    lines = [f"{'way':34} {'seconds':>8} {'ratio':>6} {'CPU s':>6} {'operations':>11} {'peak episodes':>14}"]
    for way in measured:
        counts = f"{way.cpu_s:6.2f} {sum(way.operations_E):11} {way.peak_episodes:14}"
        lines.append(f"{way.way:34} {way.seconds:8.2f} {way.seconds / first:6.2f} {counts}")
    for name, seconds in (("lock-step, by arithmetic", work.lock_step_s), ("ideal: the longest episode", work.ideal_s)):
        lines.append(f"{name:34} {seconds:8.2f} {seconds / first:6.2f}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> tuple[Workload, list[Measured]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=64, help="episodes at a time, at least 2")
    parser.add_argument("--seed", type=int, default=0, help="of the episodes' lengths")
    parser.add_argument("--token_ms", type=float, default=5.0, help="what a token takes")
    parser.add_argument("--operation_ms", type=float, default=50.0, help="what an operation takes")
    options = parser.parse_args(argv)
    token_s, operation_s = options.token_ms / 1e3, options.operation_ms / 1e3
    work = drawn(options.episodes, np.random.default_rng(options.seed), token_s=token_s, operation_s=operation_s)
    turns, tokens = sum(map(len, work.episodes)), sum(map(sum, work.episodes))
    print(f"{len(work.episodes)} episodes, {turns} turns, {tokens} tokens, {work.operations} operations")
    measured = [
        through_rollout(work),
        through_trl(work, Room, "TRL's loop, tools that block"),
        through_trl(work, AsyncRoom, "TRL's loop, tools that are awaited"),
    ]
    print(table(work, measured))
    return work, measured


if __name__ == "__main__":
    main()
