"""Checking: plans are narrated, written as traces and verified, in several processes.

Knows teachers, plans and verification. Knows nothing of files or counts.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, as_completed, wait
from contextlib import closing, contextmanager
from typing import Any

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.errors import MediaError, TaskError
from synth.generation.outcomes import Outcome
from synth.plans.plan import Narration, Plan, Refusal, Teacher, traced
from synth.verification.verify import verify

NOT_WRITTEN = "not_written"
"""Dropped, because the dialect cannot write the plan."""
_AHEAD = 4 * (os.cpu_count() or 1)
"""Traces that wait or run: a teacher that is faster must not fill the memory."""


def outcome_of(index: int, plan: Plan, said: Narration | Trace, settings: EpisodeSettings) -> Outcome:
    """The plan written in the narration's words, unless it is a trace already, and verified."""
    try:
        trace = said if isinstance(said, Trace) else traced(plan, said, settings.dialect)
    except (TaskError, MediaError, ValueError) as error:
        return Outcome(index, plan.plan_id, plan.mark, dropped=NOT_WRITTEN, message=str(error))
    verdict = verify(trace, settings)
    if verdict.fault is not None:
        dropped, message = verdict.fault.reason.value, verdict.fault.message
        return Outcome(index, plan.plan_id, plan.mark, dropped=dropped, message=message)
    return Outcome(index, plan.plan_id, plan.mark, trace.turns, verdict.deeds)


def outcomes(
    numbered: Sequence[tuple[int, Plan]], teacher: Teacher, seed: int, settings: EpisodeSettings, executor: Executor
) -> Iterator[Outcome]:
    """One outcome for each (number, plan), in any order, as they come."""
    running: set[Future[Outcome]] = set()
    plans = [plan for _, plan in numbered]
    with closing(_narrations(teacher, plans, seed)) as narrations:
        for place, said in narrations:
            index, plan = numbered[place]
            if isinstance(said, Refusal):
                dropped, message = f"teacher: {said.code}", said.message
                yield Outcome(index, plan.plan_id, plan.mark, dropped=dropped, message=message, is_final=said.is_final)
                continue
            running.add(executor.submit(outcome_of, index, plan, said, settings))
            done = {future for future in running if future.done()}
            if not done and len(running) >= _AHEAD:
                done = wait(running, return_when=FIRST_COMPLETED).done
            running -= done
            yield from (future.result() for future in done)
    yield from (future.result() for future in as_completed(running))


def _narrations(
    teacher: Teacher, plans: Sequence[Plan], seed: int
) -> Generator[tuple[int, Narration | Trace | Refusal], None, None]:
    yield from teacher.narrate(plans, seed=seed)


# ------------------------------------------------------------------------------------------------------- processes


class InThisProcess(Executor):
    """Does at once what is submitted."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def executor_of(workers: int) -> Iterator[Executor]:
    """What verifies in `workers` processes; in this one for 1."""
    if workers == 1:
        yield InThisProcess()
        return
    # Spawned: a fork would copy open videos and the threads' locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_the_parent) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_the_parent() -> None:
    """A killed parent says nothing to its children, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()
