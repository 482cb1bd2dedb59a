"""Asks a judge about the answers of an evaluation, each once: its replies are stored in the run's folder as they come.

Depends on an OpenAI-compatible endpoint with its retries and bounds; independent of tables. No training uses a judge.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from agents.engines.secret import Secret
from benchmarks.evaluation.judge.agreement import Judgement
from benchmarks.evaluation.judge.prompt import EXAMPLE, EXAMPLE_ANSWER, PROMPT_SHA256, SYSTEM, asked
from benchmarks.evaluation.judge.settings import KEY_VARIABLES, JudgeSettings
from benchmarks.evaluation.judge.verdict import SCHEMA, Ruling, verdict_in
from benchmarks.evaluation.records import Record
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError, shortened
from pixel_env.grading import is_read
from pixel_env.grading.legibility import reads_text
from synth.plans.plan import Refusal
from synth.teachers.expert.api_support import ApiSupport
from synth.teachers.expert.cache import FILE, Reply, ReplyCache
from synth.teachers.expert.chat_request import ChatMessage, ChatRequest, teacher_budgets
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.endpoint import Endpoint
from synth.teachers.expert.usage import Usage

FOLDER = "judge"
"""The folder of the replies, below that of the run."""
FAULTS_IN_A_ROW = 8
"""After so many requests in a row without a response the endpoint is considered at fault, not the answers."""
_RULED = ("choice", "number")
"""Graders with a closed form: what the rule reads there needs no judge."""
_MAX_TOKENS = 4096  # leaves room for the hidden reasoning of a judge that has any
_BUDGETS = teacher_budgets(0)  # no pictures are sent


@dataclass
class _Rulings:
    """What is known so far, by message. `fault`: why the last request without a response had none."""

    by_message: dict[str, Ruling] = field(default_factory=dict)
    fault: str = ""
    faults_in_a_row: int = 0


class Judge:
    """The judge of an evaluation in `folder`. Raises ConfigError if the replies cannot be stored there."""

    def __init__(self, settings: JudgeSettings, folder: Path) -> None:
        self._settings = settings
        self._cache = ReplyCache(
            folder / FOLDER, whose="the judge's", way_out="Give another --output_dir, or move that file away."
        )
        for shard in sorted(folder.glob(f"shard-*/{FOLDER}/{FILE}")):
            self._cache.take_over(shard)
        config = ExpertConfig(
            settings.model,
            base_url=settings.url,
            concurrency=settings.concurrency,
            temperature=0.0,
            max_tokens=_MAX_TOKENS,
            retries=6,
        )
        self._endpoint = Endpoint(
            config,
            self._cache,
            Usage(),
            secret=Secret.of_environment(*KEY_VARIABLES),
            support=ApiSupport(schema_name="verdict", schema=SCHEMA, may_leave_out_temperature=True),
            flag="--judge",
            model_flag="--judge_model",
            slower="Lower --judge_concurrency, or wait until the quota is renewed.",
        )

    def check(self) -> None:
        """Raises ConfigError unless the judge gives a verdict on an example: before anything is played."""
        message = asked(EXAMPLE, EXAMPLE_ANSWER)
        rulings = asyncio.run(self._asked([message]))
        if rulings.fault:
            raise self._endpoint.stop(f"{rulings.fault.rstrip('.')}.")
        if rulings.by_message[message] is Ruling.UNJUDGED:
            reply = asyncio.run(self._stored(message))
            raise ConfigError(
                f"the judge {self._settings.model!r} at {self._settings.url} gives no verdict on a plain example: it "
                f"wrote {shortened(reply)}. Wanted: a JSON object with the verdict right or wrong. Give another "
                "--judge_model, or leave --judge out."
            )

    def judgement_on(self, records: Sequence[Record]) -> Judgement:
        """The rulings on the records; equal answers to equal questions are asked about once.

        Raises ConfigError if the endpoint serves no request; what it replied so far is stored.
        """
        messages = {record.key: _message_about(record) for record in records}
        wanted = list(dict.fromkeys(message for message in messages.values() if message is not None))
        by_message = asyncio.run(self._asked(wanted)).by_message
        rulings = {
            key: Ruling.NOT_ASKED if message is None else by_message[message] for key, message in messages.items()
        }
        return Judgement(self._settings.model, PROMPT_SHA256, rulings)

    async def _asked(self, messages: Sequence[str]) -> _Rulings:
        rulings = _Rulings()
        with tqdm(total=len(messages), desc="judge", unit="answer", disable=None) as bar:
            async with self._endpoint:
                following = iter(messages)
                try:
                    async with asyncio.TaskGroup() as group:
                        for _ in range(min(self._settings.concurrency, len(messages))):
                            group.create_task(self._work(following, rulings, bar))
                except ExceptionGroup as errors:
                    raise errors.exceptions[0] from None  # the first one cancelled the others
        return rulings

    async def _work(self, following: Iterable[str], rulings: _Rulings, bar: "tqdm[object]") -> None:
        for message in following:  # shared: each worker takes the next one
            reply = await self._endpoint.reply_to(_request(message), seed=0)
            if isinstance(reply, Reply):
                rulings.by_message[message] = verdict_in(reply.text, reply.finish_reason)
                rulings.faults_in_a_row = 0
            else:
                self._count_fault(reply, rulings)
                rulings.by_message[message] = Ruling.UNJUDGED
            bar.update()

    def _count_fault(self, refusal: Refusal, rulings: _Rulings) -> None:
        rulings.fault = refusal.message
        rulings.faults_in_a_row += 1
        if rulings.faults_in_a_row >= FAULTS_IN_A_ROW:
            way_out = "Without --judge the same command prints the tables of the rule."
            raise self._endpoint.stop(f"{refusal.message.rstrip('.')}.", way_out)

    async def _stored(self, message: str) -> str:
        async with self._endpoint:
            reply = await self._endpoint.reply_to(_request(message), seed=0)
        return reply.text if isinstance(reply, Reply) else reply.message


def _request(message: str) -> ChatRequest:
    return ChatRequest((ChatMessage("system", SYSTEM), ChatMessage("user", message)), _BUDGETS)


def _message_about(record: Record) -> str | None:
    """What the judge is asked about the record; None where it is not asked.

    Open answers (`exact`, `anls`, graders of your own) are judged; a choice or a number only if the rule could not read
    it. Nothing is asked about no answer, an answer without any text, a failed episode, and a question without
    references.
    """
    trajectory = record.trajectory
    task, answer = trajectory.task, trajectory.answer
    if trajectory.stop is Stop.FAILED or answer is None or not task.answers or not reads_text(answer, task):
        return None
    return None if task.grader in _RULED and is_read(task, answer) else asked(task, answer)
