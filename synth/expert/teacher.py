"""A teacher behind any OpenAI-compatible endpoint: hosted, or a server of one's own.

For each plan it is asked for the overview, shown the whole picture (or all frames), then for one remark per look,
shown that look alone. Knows plans and steps. Knows nothing of connections (`endpoint.py`), and nothing of what a
trace looks like.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from pixel_env.errors import MediaError
from pixel_env.types import Task
from synth.expert.arrivals import Put, arrivals
from synth.expert.bill import Bill
from synth.expert.cache import ReplyCache
from synth.expert.config import ExpertConfig
from synth.expert.endpoint import WAYS_OUT, Endpoint
from synth.expert.inquiry import teacher_budgets
from synth.expert.prompts import Step, asked_again, inquiry_of, steps_of
from synth.expert.saying import Saying, Unusable, read_saying
from synth.leaks import leak_in
from synth.plans import Narration, Plan, Refusal

FAULTS_IN_A_ROW = 8
"""After so many plans in a row that the endpoint could not serve, it is at fault and not they."""

Narrated = tuple[int, Narration | Refusal]


class ExpertTeacher:
    """The teacher that `config` describes. `bill`: what it has cost so far.

    A plan is refused, with the last reason, after `max_attempts` replies that cannot be used ("markup", "not_json",
    ...), where the teacher finds that a look shows something else than the plan says ("look_disagrees"), or where its
    pictures cannot be shown. A plan that the endpoint cannot serve is tried again after all others, then refused
    ("endpoint_refused", "endpoint_failed"). Where it serves none, `narrate` stops with a ConfigError, and starting
    again asks only for what is missing.
    """

    def __init__(self, config: ExpertConfig) -> None:
        self._config = config
        self._budgets = teacher_budgets(config.max_pixels)
        self.bill = Bill(config.price_in, config.price_out)
        self._endpoint = Endpoint(config, ReplyCache(Path(config.cache)), self.bill)
        self._faults = 0

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

        async def tell(place: int) -> None:
            said = await self._narrated(plans[place], seed)
            if isinstance(said, Refusal) and not said.is_final:
                self._count_fault(said)
                postponed.append(place)
            else:
                self._faults = 0
                await put((place, said))

        async def tell_again(place: int) -> None:
            await put((place, await self._narrated(plans[place], seed)))

        async with self._endpoint:
            await self._each(range(len(plans)), tell)
            # Others were told meanwhile, so the endpoint is well: what fails again is a fault of the plan.
            await self._each(postponed, tell_again)

    def _count_fault(self, refusal: Refusal) -> None:
        self._faults += 1
        if self._faults >= FAULTS_IN_A_ROW:
            raise self._endpoint.stop(refusal.message, WAYS_OUT[refusal.code])

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

    async def _narrated(self, plan: Plan, seed: int) -> Narration | Refusal:
        told: list[str] = []
        try:
            steps = await asyncio.to_thread(steps_of, plan)
            if isinstance(steps, Refusal):
                return steps
            for step in steps:
                said = await self._said(plan, step, told, seed)
                if isinstance(said, Refusal):
                    return said
                told.append(said.text)
        except MediaError as error:
            return Refusal("media", str(error))
        return Narration(told[0], tuple(told[1:]))

    async def _said(self, plan: Plan, step: Step, told: Sequence[str], seed: int) -> Saying | Refusal:
        inquiry = inquiry_of(plan.task, step, told, self._budgets)
        fault = Unusable("unasked", "nothing was asked")
        for _ in range(self._config.max_attempts):
            reply = await self._endpoint.reply_to(inquiry, seed)
            if isinstance(reply, Refusal):
                return reply
            said = _checked(read_saying(reply), plan.task, step)
            if isinstance(said, Saying):
                return said if step.suffices in (None, said.suffices) else _disagreement(plan, said)
            fault, inquiry = said, asked_again(inquiry, reply.text, said)
        return Refusal(fault.code, f"{plan.plan_id!r}: none of {self._config.max_attempts} replies; {fault.reason}")


def _checked(said: Saying | Unusable, task: Task, step: Step) -> Saying | Unusable:
    """The same, unless it says what no look has shown yet: such a trace would be dropped later."""
    if isinstance(said, Saying) and step.is_before_the_detail and (leak := leak_in(said.text, task)):
        return Unusable("leak", f"its text says {leak.words!r}, which nobody can know before it was looked at")
    return said


def _disagreement(plan: Plan, said: Saying) -> Refusal:
    found = "suffices" if said.suffices else "does not suffice"
    return Refusal(
        "look_disagrees", f"{plan.plan_id!r}: the teacher finds that what is shown {found}: {said.text[:200]}"
    )
