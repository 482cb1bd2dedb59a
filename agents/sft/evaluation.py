"""Evaluation of a warm-started model on held-out tasks: operations, recovery from wrong operations, and answers.

The tasks are played greedily by the core loop; those whose trace begins with deliberate mistakes are played once more,
with these turns forced. Depends on engines and episodes; independent of training.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from agents.chat.chat import Chat
from agents.engines.protocol import Engine
from agents.metrics.statistics import Estimate
from agents.metrics.trajectories import accuracy, failures_by_code, rapr
from agents.metrics.zooming import Forced, first_box_iou, recovered_answers, recovered_operations, valid_operations
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import SUMMARY
from agents.traces.trace import Trace, TraceTurn
from pixel_env.episode import Stop, Trajectory

_TURN_LENGTH_FACTOR = 2
"""The token limit of a turn is this many times the longest turn of the traces."""


@dataclass(frozen=True, slots=True)
class Played:
    """Episodes of the model by itself, and those after forced mistakes."""

    free: Sequence[Trajectory]
    forced: Sequence[Forced]

    def whole(self) -> "Played":
        """Without the episodes that failed: an image that cannot be read is no evidence about the model."""
        return Played(
            [one for one in self.free if one.stop is not Stop.FAILED],
            [one for one in self.forced if one.trajectory.stop is not Stop.FAILED],
        )

    def failed(self) -> list[Trajectory]:
        """The episodes that failed, of either kind."""
        both = [*self.free, *(one.trajectory for one in self.forced)]
        return [one for one in both if one.stop is Stop.FAILED]


def play_held_out(
    traces: Sequence[Trace], engine: Engine, chat: Chat, settings: EpisodeSettings, *, rank: int = 0, processes: int = 1
) -> Played:
    """One greedy episode of each task, and one more after the mistakes of each task whose trace begins with some.

    Process `rank` of `processes` plays every `processes`-th task: together they play what one process would.
    """
    first = {trace.task.task_id: trace for trace in reversed(traces)}
    tasks = [first[task_id].task for task_id in dict.fromkeys(trace.task.task_id for trace in traces)]
    corrected = {trace.task.task_id: trace for trace in traces if mistakes_of(trace)}
    own = list(corrected.values())[rank::processes]
    longest = max((len(chat.encode(turn.text)) for trace in traces for turn in trace.turns), default=1)
    sampling = Sampling(temperature=0.0, max_turn_tokens=_TURN_LENGTH_FACTOR * longest)
    shared: dict[str, Any] = {"settings": settings, "sampling": sampling, "seed": 0}
    free = rollout(tasks[rank::processes], engine, chat, **shared)
    after = rollout(
        [trace.task for trace in own],
        engine,
        chat,
        forced=lambda task: [turn.text for turn in mistakes_of(corrected[task.task_id])],
        **shared,
    )
    turns = [len(mistakes_of(trace)) for trace in own]
    return Played(
        [one.trajectory for one in free],
        [Forced(one.trajectory, count) for one, count in zip(after, turns, strict=True)],
    )


def mistakes_of(trace: Trace) -> Sequence[TraceTurn]:
    """The deliberate mistakes at the beginning of the trace."""
    return list(takewhile(lambda turn: turn.mistake is not None or not turn.train, trace.turns[:-1]))


# --------------------------------------------------------------------------------------------------------- metrics


def figures(played: Played) -> dict[str, Estimate]:
    """Every metric by its name in the table, in order, over the episodes that did not fail."""
    whole = played.whole()
    valid = {f"valid operations, {kind}": share for kind, share in valid_operations(whole.free).items()}
    return {
        "correct answers": accuracy(whole.free),
        **valid,
        "IoU of the first box": first_box_iou(whole.free),
        "correct operation after a mistake": recovered_operations(whole.forced),
        "correct answers after a mistake": recovered_answers(whole.forced),
    }


def table(played: Played) -> str:
    """The metrics with 95 % intervals and numbers of items; below, the failed episodes."""
    lines = [f"{'held-out tasks':36} {'value':>7}  {'95 % interval':15} {'n':>5}"]
    for name, one in figures(played).items():
        numbers = f"{one.value:7.3f}  {one.low:.3f} to {one.high:.3f}  {one.n:5}" if one.n else "none"
        lines.append(f"{name:36} {numbers:>7}")
    if failed := played.failed():
        total, first = len(played.free) + len(played.forced), failed[0]
        lines.append(f"{len(failed)} of {total} episodes failed and are not counted. Error of the first, task")
        lines.append(f"{first.task.task_id}: {first.error}")
    return "\n".join(lines)


def write_sft_summary(
    folder: Path,
    steps: int,
    refused: Mapping[str, int],
    played: Played | None,
    refused_held_out: Mapping[str, int] | None = None,
) -> None:
    """Writes `summary.json`: steps, refused traces by reason and, if tasks were played, their metrics.

    A metric without any item is null. Episodes that failed are counted separately.
    """
    summary: dict[str, Any] = {"steps": steps, "refused_traces": dict(refused)}
    if played is not None:
        whole = played.whole()
        valid = valid_operations(whole.free)
        summary |= {
            "refused_held_out_traces": dict(refused_held_out or {}),
            "failed_episodes": len(played.failed()),
            "accuracy_after": _row(accuracy(whole.free)),
            "rapr_after": rapr(whole.free) if whole.free else None,
            "valid_operations": {kind: _row(share) for kind, share in valid.items()},
            "failures": failures_by_code(whole.free),
            "first_box_iou": _row(first_box_iou(whole.free)),
            "recovered_looks": _row(recovered_operations(whole.forced)),
            "recovered_answers": _row(recovered_answers(whole.forced)),
        }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / SUMMARY, json.dumps(summary, indent=2) + "\n")


def _row(estimate: Estimate) -> dict[str, float] | None:
    return {name: value for name, value in asdict(estimate).items() if value is not None} if estimate.n else None
