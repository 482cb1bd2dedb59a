"""Checking: plans are narrated, written as traces and verified, in several processes.

Depends on teachers, plans and verification; independent of files and of the mix.
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
"""Drop reason of a plan that the dialect cannot write."""
_MAX_PENDING = 4 * (os.cpu_count() or 1)
"""The most traces that wait or run, so that a faster teacher does not fill the memory."""


def outcome_of(index: int, plan: Plan, narration: Narration | Trace, settings: EpisodeSettings) -> Outcome:
    """The outcome of a plan: its narration written as a trace, unless it is a trace already, and verified."""
    try:
        trace = narration if isinstance(narration, Trace) else traced(plan, narration, settings.dialect)
    except (TaskError, MediaError, ValueError) as error:
        return Outcome(index, plan.plan_id, plan.fingerprint, dropped=NOT_WRITTEN, message=str(error))
    verdict = verify(trace, settings)
    if verdict.fault is not None:
        dropped, message = verdict.fault.reason.value, verdict.fault.message
        return Outcome(index, plan.plan_id, plan.fingerprint, dropped=dropped, message=message)
    return Outcome(index, plan.plan_id, plan.fingerprint, trace.turns, verdict.action_fingerprint)


def outcomes(
    numbered: Sequence[tuple[int, Plan]], teacher: Teacher, seed: int, settings: EpisodeSettings, executor: Executor
) -> Iterator[Outcome]:
    """Yields one outcome for each (number, plan), in any order, as they are ready."""
    running: set[Future[Outcome]] = set()
    plans = [plan for _, plan in numbered]
    with closing(_narrations(teacher, plans, seed)) as narrations:
        for position, narration in narrations:
            index, plan = numbered[position]
            if isinstance(narration, Refusal):
                dropped, message, is_final = f"teacher: {narration.code}", narration.message, narration.is_final
                yield Outcome(
                    index, plan.plan_id, plan.fingerprint, dropped=dropped, message=message, is_final=is_final
                )
                continue
            running.add(executor.submit(outcome_of, index, plan, narration, settings))
            done = {future for future in running if future.done()}
            if not done and len(running) >= _MAX_PENDING:
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
    """An executor that runs each function at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Runs the function and returns a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def executor_of(workers: int) -> Iterator[Executor]:
    """The executor for verification in `workers` processes; for 1, in this process."""
    if workers == 1:
        yield InThisProcess()
        return
    # Spawned, because a fork would copy open videos and the locks of threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_the_parent) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_the_parent() -> None:
    """Ends the worker when its parent ends: a killed parent cannot notify its workers, which would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()
