"""The data of a page: runs, questions and trajectories as JSON objects that `page.js` reads.

Depends on trajectories, groups and rewards; independent of HTML. A box is four fractions of the source; an image is
its name in the `ImageList`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.metrics.trajectories import accuracy, all_failed, calls, failed, is_unparsed, rapr, unparsed
from benchmarks.evaluation.records import Key, Record
from benchmarks.view.images import FRAME_SIDE, SOURCE_SIDE, ImageList
from pixel_env.episode import Action, Answer, Malformed, Stop, Text, Trajectory, Turn, Unfinished, with_images_named
from pixel_env.media.sources import BlankSource
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets, ViewKind
from rewards.parts import GroupReward, check_same_names, reward_parts

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Training:
    """What the update of a training did with a rollout. `played`: "training", "replayed" or "held-out"."""

    step: int
    played: str
    use: str
    parts: Mapping[str, float]
    weights: Mapping[str, float]
    total: float | None
    advantage: float
    tokens: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run on a page: its records, the budgets that they were played with, a notice and its configuration.

    `training`: of the rollouts of a training, by the key of the record.
    """

    name: str
    records: Sequence[Record]
    budgets: ViewBudgets
    notice: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[Key, Training] = field(default_factory=dict)


class Rows:
    """The rows of a page. Texts that many trajectories share (prompts) are stored once."""

    def __init__(self, images: ImageList, group_reward: GroupReward) -> None:
        self._images = images
        self._group_reward = group_reward
        self._texts: dict[str, int] = {}
        self._part_names: list[str] = []

    def of(self, runs: Sequence[Run]) -> Row:
        """The page's data: `runs`, `tasks`, `groups`, `trajectories` and `texts`, which refer to each other by index.

        `parts`: the names of the parts of the reward, in the order of their columns.
        """
        tasks: list[Row] = []
        groups: list[Row] = []
        trajectories: list[Row] = []
        for run_number, run in enumerate(runs):
            task_indices: dict[str, int] = {}
            for group in groups_of(run.records):
                task = group[0].trajectory.task
                if task.task_id not in task_indices:
                    task_indices[task.task_id] = len(tasks)
                    tasks.append(self._task(task))
                shared = {"run": run_number, "task": task_indices[task.task_id], "group": len(groups)}
                trained = [run.training[record.key] for record in group if record.key in run.training]
                group_row, parts = self._trained_group(group, trained) if trained else self._group(group)
                groups.append(group_row)
                for record, own in zip(group, parts, strict=True):
                    trajectories.append({**shared, **self._trajectory(record, run.budgets), **own})
        return {
            "runs": [_run(run) for run in runs],
            "tasks": tasks,
            "groups": groups,
            "trajectories": trajectories,
            "texts": list(self._texts),
            "parts": self._part_names,
        }

    def _task(self, task: Task) -> Row:
        side = FRAME_SIDE if task.media == "video" else SOURCE_SIDE
        return {
            "id": task.task_id,
            "question": task.question,
            "answers": list(task.answers),
            "options": list(task.options),
            "category": task.category,
            "media": task.media,
            "needs_looking": task.needs_looking,
            "sources": [self._images.of_source(source, side) for source in task.sources],
            "evidence": [{"source": item.image, "box": _rounded(item.box.corners)} for item in task.evidence],
        }

    def _group(self, group: Sequence[Record]) -> tuple[Row, list[Row]]:
        """The figures of the rollouts of a question, and each one's reward parts and advantage.

        As in training, a failed episode belongs to no group. A question without reference answers has no reward.
        """
        whole = [record.trajectory for record in group if record.trajectory.stop is not Stop.FAILED]
        figures: Row = {"size": len(whole), "rapr": rapr(whole) if whole else None}
        if not whole or not group[0].trajectory.task.answers:
            return figures, [{} for _ in group]
        rewards = reward_parts(self._group_reward, whole)
        self._part_names = self._part_names or list(rewards.parts)
        check_same_names(rewards, self._part_names, self._group_reward)
        total_G = rewards.total_G
        advantages_G = total_G - total_G.mean()
        weights = {name: part.weight for name, part in rewards.parts.items()}
        rewards_of_rollouts = iter(
            {
                "parts": {name: round(float(values_G[index]), 4) for name, values_G in rewards.named().items()},
                "weights": weights,
                "total": round(float(total_G[index]), 4),
                "advantage": round(float(advantages_G[index]), 4),
            }
            for index in range(len(whole))
        )
        return figures, [{} if record.trajectory.stop is Stop.FAILED else next(rewards_of_rollouts) for record in group]

    def _trained_group(self, group: Sequence[Record], trained: Sequence[Training]) -> tuple[Row, list[Row]]:
        """As `_group`, with the rewards and the advantages that the training used."""
        whole = [record.trajectory for record in group if record.trajectory.stop is not Stop.FAILED]
        rows = []
        for one in trained:
            self._part_names += [name for name in one.parts if name not in self._part_names]
            rewards = {"parts": dict(one.parts), "weights": dict(one.weights), "total": one.total}
            shown = {"step": one.step, "played": one.played, "use": one.use, "tokens": one.tokens}
            has_rewards = one.total is not None
            rows.append({"training": shown, "advantage": one.advantage, **(rewards if has_rewards else {})})
        return {"size": len(whole), "rapr": rapr(whole) if whole else None}, rows

    def _trajectory(self, record: Record, budgets: ViewBudgets) -> Row:
        trajectory, prompt = record.trajectory, record.trajectory.prompt
        # The film strip shows the frames of a video already.
        opening = () if trajectory.task.media == "video" else trajectory.prompt_views
        return {
            "id": identity(record),
            "policy": record.policy,
            "sample": record.sample,
            "prompt": [self._text(with_images_named(text)) for text in (prompt.system, prompt.question)],
            "opening": [self._images.of_view(view, budgets) for view in opening],
            "turns": self._turns(trajectory, budgets),
            "stop": None if trajectory.stop is None else trajectory.stop.value,
            "reward": trajectory.reward,
            "answer": trajectory.answer,
            "unparsed": is_unparsed(trajectory),
            "error": trajectory.error,
            "operations": trajectory.operations,
            "executed": trajectory.valid_operations,
        }

    def _turns(self, trajectory: Trajectory, budgets: ViewBudgets) -> list[Row]:
        source_indices = _source_indices(trajectory.task)
        sources = trajectory.task.sources
        views = list(trajectory.prompt_views)
        rows = []
        for turn in trajectory.turns:
            shown = [
                {
                    "picture": self._images.of_view(view, budgets),
                    "source": source_indices.get(view.source.key),  # None: a frame outside of the overview
                    "box": _rounded(view.box.corners),
                    "is_frame": view.kind is ViewKind.SELECTED_FRAME,
                }
                for view in turn.views
            ]
            if isinstance(turn.action, SelectFrames):
                for row, frame in zip(shown, turn.action.frames, strict=False):
                    if row["source"] == source_indices[sources[frame].key]:
                        row["source"] = frame  # two frames may have the same pixels
            rows.append({**_turn(turn), "looks": shown, "refused": _refused(turn, views, source_indices)})
            views += turn.views
        return rows

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))


def groups_of(records: Sequence[Record]) -> list[list[Record]]:
    """The rollouts of each question by each policy, greedy ones apart from sampled ones, in order."""
    groups: dict[tuple[str, str, bool], list[Record]] = {}
    for record in records:
        key = (record.trajectory.task.task_id, record.policy, record.sample is None)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def identity(record: Record) -> str:
    """The id of a record in the page's address, by which it is paired with the same rollout of another run."""
    number = "greedy" if record.sample is None else record.sample
    return f"{record.policy}/{record.trajectory.task.task_id}/{number}"


def _run(run: Run) -> Row:
    return {
        "name": run.name,
        "notice": run.notice,
        "facts": {name: value if isinstance(value, str) else json.dumps(value) for name, value in run.facts.items()},
        "figures": _figures(run.records, is_training=bool(run.training)),
    }


def _figures(records: Sequence[Record], *, is_training: bool) -> list[Row]:
    """One row per policy, greedy and sampled rollouts apart. A policy whose episodes all failed has no figures."""
    passes: dict[tuple[str, bool], list[Trajectory]] = {}
    for record in records:
        passes.setdefault((record.policy, record.sample is not None), []).append(record.trajectory)
    rows = []
    for (policy, is_sampled), trajectories in passes.items():
        graded = [trajectory for trajectory in trajectories if trajectory.task.answers]
        estimate, is_dead = accuracy(graded), all_failed(trajectories)
        has_accuracy = bool(graded) and not all_failed(graded)
        rows.append(
            {
                "policy": f"{policy}, sampled" if is_sampled and not is_training else policy,
                "count": len(trajectories),
                "accuracy": estimate.value if has_accuracy else None,
                "low": estimate.low if has_accuracy else None,
                "high": estimate.high if has_accuracy else None,
                "rapr": None if is_dead else rapr(trajectories),
                "calls": None if is_dead else calls(trajectories),
                "failed": len(failed(trajectories)),
                "unparsed": None if is_dead else len(unparsed(trajectories)),
            }
        )
    return rows


def _turn(turn: Turn) -> Row:
    failure = turn.failure
    return {
        "text": str(turn.text),
        "cut": isinstance(turn.text, Unfinished),
        "action": _action(turn.action),
        "code": None if failure is None else failure.code.value,
        "message": None if failure is None else failure.message,
        "observation": with_images_named(turn.observation),
        "same": turn.same_message,
    }


def _action(action: Action) -> Row:
    match action:
        case Operation():
            return _operation(action)
        case Answer(_):
            return {"kind": "answer"}
        case Text(_):
            return {"kind": "text"}
        case Malformed(_, _):
            return {"kind": "unreadable call"}


def _operation(operation: Operation) -> Row:
    """Its name, its text, and for a zoom the region: `image` and `box` on that image."""
    row: Row = {"kind": operation.name.replace("_", " "), "shown": operation.shown()}
    if (region := operation.region()) is not None:
        image, box = region
        row |= {"image": image, "box": _rounded(box.corners)}
    return row


def _source_indices(task: Task) -> dict[str, int]:
    """Indices of the task's sources by key; a blank source has the index of the one that it replaces."""
    numbered = reversed(list(enumerate(task.sources)))
    return {key: index for index, source in numbered for key in (source.key, BlankSource(source).key)}


def _refused(turn: Turn, views: Sequence[View], source_indices: Mapping[str, int]) -> Row | None:
    """The region of a refused zoom, if the image that it names exists."""
    region = turn.action.region() if isinstance(turn.action, Operation) else None
    if turn.failure is None or region is None or not 0 <= region[0] < len(views):
        return None
    parent = views[region[0]]
    return {"source": source_indices.get(parent.source.key), "box": _rounded(parent.to_source(region[1]).corners)}


def _rounded(corners: Sequence[float]) -> list[float]:
    return [round(corner, 4) for corner in corners]
