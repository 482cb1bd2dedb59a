"""A teacher behind any OpenAI-compatible endpoint: hosted, or a server of one's own.

For each plan it is asked for the overview, shown the whole picture (or all frames), then for one remark per look,
shown that look alone. Knows plans and steps. Knows nothing of connections (`endpoint.py`), and nothing of what a
trace looks like.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from pixel_env.errors import MediaError
from synth.plans.plan import Narration, Plan, Refusal
from synth.teachers.expert.as_completed import Put, arrivals
from synth.teachers.expert.cache import ReplyCache
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.endpoint import WAYS_OUT, Endpoint
from synth.teachers.expert.inquiry import Inquiry, teacher_budgets
from synth.teachers.expert.prompts import LOOK_FAILS, Step, asked_again, inquiry_of, steps_of
from synth.teachers.expert.reply import UNREADABLE, Saying, Unusable, read_saying
from synth.teachers.expert.usage import Bill
from synth.verification.conclusions import contradiction_in, states_the_answer
from synth.verification.leaks import announcement_in, leak_in

FAULTS_IN_A_ROW = 8
"""After so many plans in a row that the endpoint could not serve, or of which it said nothing that can be read, it is
at fault and not they."""

_MEDIA = "media"
_UNASKED = frozenset({_MEDIA, LOOK_FAILS})
_WAYS_OUT = {
    **WAYS_OUT,
    **dict.fromkeys(UNREADABLE, "Ask it by hand what it replies; a model that follows a JSON schema helps."),
    "cut_off": "Give it room for its hidden reasoning: more --teacher_max_tokens, with another --out.",
}

Narrated = tuple[int, Narration | Refusal]


class ExpertTeacher:
    """The teacher that `config` describes. `bill`: what it has cost so far.

    A plan is refused, with the last reason, after `max_attempts` replies that cannot be used ("markup", "not_json",
    ...), where the teacher finds that a look shows something else than the plan says ("look_disagrees"), or where its
    pictures cannot be shown. A plan that the endpoint cannot serve is tried again after all others, then refused
    ("endpoint_refused", "endpoint_failed"). Where it serves none, or says nothing that can be read of one plan after
    the other, `narrate` stops with a ConfigError, and starting again asks only for what is missing: replies that could
    not be read are forgotten as long as no other plan has shown that they were the plan's own fault.
    """

    def __init__(self, config: ExpertConfig) -> None:
        self._config = config
        self._budgets = teacher_budgets(config.max_pixels)
        cache = ReplyCache(Path(config.cache))
        self.bill = Bill(config.price_in, config.price_out, before=cache.paid())
        self._endpoint = Endpoint(config, cache, self.bill)
        self._faults = 0  # plans in a row
        self._has_told = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self._config.model

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[Narrated]:
        """Each plan's place and narration, in the order in which they are told; shows tokens and price on the way.

        Whoever takes no more than some of them pays for at most twice `concurrency` plans that were begun.
        """

        async def work(put: Put[Narrated]) -> None:
            await self._narrate_all(plans, seed, put)

        with (
            tqdm(total=len(plans), desc=f"teacher {self.name}", unit="plan", disable=None) as bar,
            closing(arrivals(work, unread=self._config.concurrency)) as narrated,
        ):
            for place, said in narrated:
                bar.set_postfix_str(str(self.bill), refresh=False)
                bar.update()
                yield place, said

    async def _narrate_all(self, plans: Sequence[Plan], seed: int, put: Put[Narrated]) -> None:
        postponed: list[int] = []
        unread: list[Inquiry] = []

        async def tell(place: int) -> None:
            said = await self._narrated(plans[place], seed, unread)
            if isinstance(said, Refusal) and _is_fault(said):
                await self._count_fault(said, unread, seed)
                postponed.append(place)
            else:
                self._note(said)
                await put((place, said))

        async def tell_again(place: int) -> None:
            said = await self._narrated(plans[place], seed, unread)
            self._note(said)
            if isinstance(said, Refusal) and _is_fault(said) and not self._has_told:
                said = replace(said, is_final=False)
            # Where others were told the endpoint is well: what fails again is a fault of the plan.
            await put((place, said))

        async with self._endpoint:
            try:
                await self._each(range(len(plans)), tell)
                await self._each(postponed, tell_again)
            finally:
                if not self._has_told:
                    await self._forget(unread, seed)

    def _note(self, said: Narration | Refusal) -> None:
        """Whatever was read of a reply shows that the endpoint is well."""
        if isinstance(said, Narration) or not (_is_fault(said) or said.code in _UNASKED):
            self._faults = 0
            self._has_told = True

    async def _count_fault(self, refusal: Refusal, unread: Sequence[Inquiry], seed: int) -> None:
        self._faults += 1
        if self._faults >= FAULTS_IN_A_ROW:
            await self._forget(unread, seed)
            raise self._endpoint.stop(f"{refusal.message}.", _WAYS_OUT[refusal.code])

    async def _forget(self, unread: Sequence[Inquiry], seed: int) -> None:
        for inquiry in unread:
            await self._endpoint.forget(inquiry, seed)

    async def _each(self, places: Sequence[int], tell: Callable[[int], Awaitable[None]]) -> None:
        following = iter(places)

        async def worker() -> None:
            for place in following:  # shared: each takes the next plan
                await tell(place)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._config.concurrency, len(places))):
                    group.create_task(worker())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first one cancelled the others

    async def _narrated(self, plan: Plan, seed: int, unread: list[Inquiry]) -> Narration | Refusal:
        told: list[str] = []
        try:
            steps = await asyncio.to_thread(steps_of, plan)
            if isinstance(steps, Refusal):
                return steps
            for step in steps:
                said = await self._said(plan, step, told, seed, unread)
                if isinstance(said, Refusal):
                    return said
                told.append(said.text)
        except MediaError as error:
            return Refusal(_MEDIA, str(error))
        return Narration(told[0], tuple(told[1:]))

    async def _said(
        self, plan: Plan, step: Step, told: Sequence[str], seed: int, unread: list[Inquiry]
    ) -> Saying | Refusal:
        inquiry = inquiry_of(plan.task, step, told, self._budgets)
        fault = Unusable("unasked", "nothing was asked")
        for _ in range(self._config.max_attempts):
            reply = await self._endpoint.reply_to(inquiry, seed)
            if isinstance(reply, Refusal):
                return reply
            said = _checked(read_saying(reply), plan, step)
            if isinstance(said, Saying):
                return said if step.suffices in (None, said.suffices) else _disagreement(plan, said)
            if said.code in UNREADABLE:
                unread.append(inquiry)
            fault, inquiry = said, asked_again(inquiry, reply.text, said)
        return Refusal(fault.code, f"{plan.plan_id!r}: none of {self._config.max_attempts} replies; {fault.reason}")


def _is_fault(refusal: Refusal) -> bool:
    """Whether it may be the endpoint's: another attempt, or another setting, may end otherwise."""
    return not refusal.is_final or refusal.code in UNREADABLE


def _checked(said: Saying | Unusable, plan: Plan, step: Step) -> Saying | Unusable:
    """The same, unless it says what no look has shown yet, or ends in another answer than the trace."""
    task = plan.task
    if isinstance(said, Unusable):
        return said
    rule = leak_in if step.is_before_the_detail else announcement_in
    if not step.is_last and (leak := rule(said.text, task)):
        return Unusable("leak", f"its text says {leak.words!r}, which nobody can know before it was looked at")
    # One that finds that it does not suffice has nothing to end in, and is refused for that.
    if not (step.is_last and said.suffices):
        return said
    if words := contradiction_in(said.text, task):
        return Unusable("another_answer", f"its text says {words!r}, and has to end in the answer {task.answers[0]!r}")
    if not plan.looks and not states_the_answer(said.text, task):
        return Unusable("answer_not_stated", f"its text has to end by stating the answer {task.answers[0]!r}")
    return said


def _disagreement(plan: Plan, said: Saying) -> Refusal:
    found = "suffices" if said.suffices else "does not suffice"
    return Refusal(
        "look_disagrees", f"{plan.plan_id!r}: the teacher finds that what is shown {found}: {said.text[:200]}"
    )
