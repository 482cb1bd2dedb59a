"""A teacher behind any OpenAI-compatible endpoint, hosted or your own server.

For each plan it writes the overview from the whole image (or all frames), then one remark for each operation from its
result alone. Depends on plans and steps; independent of connections (`endpoint.py`) and of the format of traces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from pixel_env.errors import MediaError
from synth.plans.plan import Narration, Plan, Refusal
from synth.teachers.expert.as_completed import Put, as_completed
from synth.teachers.expert.cache import ReplyCache
from synth.teachers.expert.chat_request import ChatRequest, teacher_budgets
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.endpoint import REMEDIES, Endpoint
from synth.teachers.expert.prompts import LOOK_FAILS, Step, request_for, retry_request, steps_of
from synth.teachers.expert.reply import UNREADABLE, ParsedReply, Unusable, parse_reply
from synth.teachers.expert.usage import Usage
from synth.verification.conclusions import states_the_answer
from synth.verification.leaks import announcement_in, leak_in
from synth.verification.statements import false_statement_in

FAULTS_IN_A_ROW = 8
"""After this many consecutive plans that the endpoint could not serve, or with no readable reply, the endpoint is
considered at fault, not the plans."""

_MEDIA = "media"
_NOT_REQUESTED = frozenset({_MEDIA, LOOK_FAILS})
_REMEDIES = {
    **REMEDIES,
    **dict.fromkeys(UNREADABLE, "Check its replies by hand; a model that follows a JSON schema helps."),
    "cut_off": "Leave room for its hidden reasoning: more --teacher_max_tokens, with another --output_dir.",
}

Narrated = tuple[int, Narration | Refusal]


class ExpertTeacher:
    """The teacher that `config` describes. `usage`: its requests, tokens and cost so far.

    A plan is refused, with the last reason, after `max_attempts` unusable replies ("markup", "not_json", ...), if the
    teacher's verdict on a result contradicts the plan ("look_disagrees"), or if its images cannot be shown. A plan that
    the endpoint cannot serve is tried again after all others, then refused ("endpoint_refused", "endpoint_failed"). If
    the endpoint serves no plan, or gives no readable reply to one plan after the other, `narrate` raises a ConfigError.
    A restarted run requests only what is missing. Unreadable replies are discarded unless another plan has succeeded,
    which shows that the endpoint works.
    """

    def __init__(self, config: ExpertConfig) -> None:
        self._config = config
        self._budgets = teacher_budgets(config.max_pixels)
        cache = ReplyCache(Path(config.cache))
        self.usage = Usage(config.price_in, config.price_out, before=cache.totals())
        self._endpoint = Endpoint(config, cache, self.usage)
        self._faults = 0  # consecutive plans
        self._has_succeeded = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self._config.model

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[Narrated]:
        """Yields (index in `plans`, narration or refusal) as they are ready; shows tokens and price meanwhile.

        A consumer that stops early pays for at most twice `concurrency` plans that were begun.
        """

        async def work(put: Put[Narrated]) -> None:
            await self._narrate_all(plans, seed, put)

        with (
            tqdm(total=len(plans), desc=f"teacher {self.name}", unit="plan", disable=None) as bar,
            closing(as_completed(work, unread=self._config.concurrency)) as narrated,
        ):
            for index, narration in narrated:
                bar.set_postfix_str(str(self.usage), refresh=False)
                bar.update()
                yield index, narration

    async def _narrate_all(self, plans: Sequence[Plan], seed: int, put: Put[Narrated]) -> None:
        postponed: list[int] = []
        unread: list[ChatRequest] = []

        async def narrate(index: int) -> None:
            narration = await self._narrated(plans[index], seed, unread)
            if isinstance(narration, Refusal) and _is_fault(narration):
                await self._count_fault(narration, unread, seed)
                postponed.append(index)
            else:
                self._note(narration)
                await put((index, narration))

        async def narrate_again(index: int) -> None:
            narration = await self._narrated(plans[index], seed, unread)
            self._note(narration)
            if isinstance(narration, Refusal) and _is_fault(narration) and not self._has_succeeded:
                narration = replace(narration, is_final=False)
            # If other plans succeeded, the endpoint works: a second failure is the fault of the plan.
            await put((index, narration))

        async with self._endpoint:
            try:
                await self._each(range(len(plans)), narrate)
                await self._each(postponed, narrate_again)
            finally:
                if not self._has_succeeded:
                    await self._forget(unread, seed)

    def _note(self, narration: Narration | Refusal) -> None:
        """Records that the endpoint works if any reply could be read."""
        if isinstance(narration, Narration) or not (_is_fault(narration) or narration.code in _NOT_REQUESTED):
            self._faults = 0
            self._has_succeeded = True

    async def _count_fault(self, refusal: Refusal, unread: Sequence[ChatRequest], seed: int) -> None:
        self._faults += 1
        if self._faults >= FAULTS_IN_A_ROW:
            await self._forget(unread, seed)
            raise self._endpoint.stop(f"{refusal.message}.", _REMEDIES[refusal.code])

    async def _forget(self, unread: Sequence[ChatRequest], seed: int) -> None:
        for request in unread:
            await self._endpoint.forget(request, seed)

    async def _each(self, indices: Sequence[int], narrate: Callable[[int], Awaitable[None]]) -> None:
        following = iter(indices)

        async def worker() -> None:
            for index in following:  # shared: each worker takes the next plan
                await narrate(index)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._config.concurrency, len(indices))):
                    group.create_task(worker())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first one cancelled the others

    async def _narrated(self, plan: Plan, seed: int, unread: list[ChatRequest]) -> Narration | Refusal:
        texts: list[str] = []
        try:
            steps = await asyncio.to_thread(steps_of, plan)
            if isinstance(steps, Refusal):
                return steps
            for step in steps:
                reply = await self._reply_to(plan, step, texts, seed, unread)
                if isinstance(reply, Refusal):
                    return reply
                texts.append(reply.text)
        except MediaError as error:
            return Refusal(_MEDIA, str(error))
        return Narration(texts[0], tuple(texts[1:]))

    async def _reply_to(
        self, plan: Plan, step: Step, texts: Sequence[str], seed: int, unread: list[ChatRequest]
    ) -> ParsedReply | Refusal:
        request = request_for(plan.task, step, texts, self._budgets)
        fault = Unusable("not_requested", "nothing was requested")
        for _ in range(self._config.max_attempts):
            reply = await self._endpoint.reply_to(request, seed)
            if isinstance(reply, Refusal):
                return reply
            parsed = _checked(parse_reply(reply), plan, step)
            if isinstance(parsed, ParsedReply):
                return parsed if step.suffices in (None, parsed.suffices) else _disagreement(plan, parsed)
            if parsed.code in UNREADABLE:
                unread.append(request)
            fault, request = parsed, retry_request(request, reply.text, parsed)
        return Refusal(
            fault.code, f"{plan.plan_id!r}: none of {self._config.max_attempts} replies is usable: {fault.reason}"
        )


def _is_fault(refusal: Refusal) -> bool:
    """Whether the endpoint may be at fault, so that another attempt or another setting may succeed."""
    return not refusal.is_final or refusal.code in UNREADABLE


def _checked(reply: ParsedReply | Unusable, plan: Plan, step: Step) -> ParsedReply | Unusable:
    """The reply; Unusable if it states what no operation has shown yet, or gives another answer than the trace."""
    task = plan.task
    if isinstance(reply, Unusable):
        return reply
    rule = leak_in if step.is_before_the_detail else announcement_in
    if not step.is_last and (leak := rule(reply.text, task)):
        return Unusable("leak", f"its text says {leak.words!r}, which nobody can know before it was looked at")
    # A reply with the verdict "does not suffice" need not end in the answer; the plan is refused for the verdict.
    if not (step.is_last and reply.suffices):
        return reply
    if words := false_statement_in(reply.text, task):
        return Unusable("another_answer", f"its text says {words!r}, and has to end in the answer {task.answers[0]!r}")
    if not plan.operations and not states_the_answer(reply.text, task):
        return Unusable("answer_not_stated", f"its text has to end by stating the answer {task.answers[0]!r}")
    return reply


def _disagreement(plan: Plan, reply: ParsedReply) -> Refusal:
    verdict = "suffices" if reply.suffices else "does not suffice"
    return Refusal(
        "look_disagrees", f"{plan.plan_id!r}: the teacher judges that what is shown {verdict}: {reply.text[:200]}"
    )
