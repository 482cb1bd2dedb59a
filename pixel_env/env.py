"""The environment: `PixelEnv(gym.Env)`, the only place where an episode's dynamics live.

It decides when an operation is executed, what comes back, what it costs and when an episode ends. Depends on the
grammar (`actions.py`), the wording (`dialects/wording.py`) and the graders; independent of wire formats and of reward
shaping (`rewards/`): the reward is the grade of the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from pixel_env.actions import parse_all
from pixel_env.budgets import budgets_for, limits_from, token_estimate
from pixel_env.dialects.checks import checked_operations
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.dialects.wording import (
    budget_text,
    last_turn_text,
    opening_prompt,
)
from pixel_env.episode import (
    Action,
    Answer,
    Limits,
    Observation,
    Stop,
    Text,
    Trajectory,
    Turn,
    Unfinished,
)
from pixel_env.errors import ConfigError, TaskError, UnknownNameError
from pixel_env.failures import Failure
from pixel_env.grading import grade
from pixel_env.interventions import Intervention, unchanged
from pixel_env.media.showing import show
from pixel_env.media.sizes import native_size
from pixel_env.operations.coordinates import Size
from pixel_env.replies import Replies, Reply, text_of
from pixel_env.spaces import AssistantText, Images, UnicodeText
from pixel_env.task import Task
from pixel_env.tasks import TaskSpec, load_tasks
from pixel_env.views import ViewBudgets

CountTokens = Callable[[str, Sequence[Size]], int]


class PixelEnv(gym.Env[Observation, str]):
    """A question about images, answered by text; before it answers, the model may crop images and select frames.

    Action: the assistant's text, verbatim; `Unfinished(text)` for a turn truncated by its token limit. Observation: the
    increment, `{"text": str, "images": tuple of uint8 arrays (height, width, 3)}`. Reward: the answer's grade, else 0.
    `terminated`: answered; `truncated`: a budget is used up. `info`: `task_id`, `action` (the typed action), `failure`
    (why an operation was refused, or None), `stop` (why the episode ended, or None) and `notice` (the notice of the
    task set). A mistake of the model is never an exception.

    `tasks`: a sample set ("sample:vstar"), a path or a hub id (docs/tasks.md), a TaskSet or tasks. `dialect`: a name of
    `dialects.DIALECTS` or a Dialect. `budgets`: pixels per kind of view; default: the task set's, or the dialect's.
    `limits`: turns, images, tokens; `budgets` and `limits` may be the dicts that a spec written as JSON holds.
    `count_tokens(text, sizes)`: tokens of a text and of images shown at (width, height), for `limits.max_tokens`; by
    default `budgets.token_estimate`, which is an estimate: exact limits need the model's own counter. `intervention`:
    from the views that an operation returns to those that are shown (`interventions.py`). `share_images`: observations
    hold the process's own read-only arrays, one for all episodes that show the same view, as rollouts do; by default
    copies, as Gymnasium asks. `reset(options={"task_id": ...})` chooses the task; otherwise it is drawn at random.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 1}  # noqa: RUF012  # Gymnasium's own interface

    def __init__(
        self,
        tasks: TaskSpec = "sample:vstar",
        *,
        dialect: str | Dialect = "default",
        budgets: ViewBudgets | Mapping[str, Any] | None = None,
        limits: Limits | Mapping[str, Any] = Limits(),  # noqa: B008  # frozen
        count_tokens: CountTokens | None = None,
        intervention: Intervention = unchanged,
        split: Literal["train", "test"] = "test",
        share_images: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(f"no render mode {render_mode!r}; give one of {self.metadata['render_modes']}, or None")
        self.task_set = load_tasks(tasks, split=split)
        self.dialect = checked_operations(dialect) if isinstance(dialect, Dialect) else dialect_named(dialect)
        self.budgets = budgets_for(budgets, self.task_set, self.dialect)
        self.limits = limits_from(limits)
        self.render_mode = render_mode
        self.action_space = AssistantText(self.dialect)
        self.observation_space = gym.spaces.Dict({"images": Images(), "text": UnicodeText()})  # type: ignore[assignment]
        self._intervention = intervention
        self._share_images = share_images
        self._count_tokens = count_tokens or token_estimate(self.budgets.original.factor)
        self._index_by_id: dict[str, int] | None = None
        self._trajectory: Trajectory | None = None
        self._shown_sizes: list[Size] = []
        self._tokens = 0

    @property
    def trajectory(self) -> Trajectory:
        """The episode so far; it alone holds the history. Raises ResetNeeded before the first reset."""
        if self._trajectory is None:
            raise gym.error.ResetNeeded("there is no episode yet; call reset() first")
        return self._trajectory

    @property
    def prefill(self) -> str:
        """What the next turn begins with (`Dialect.prefill`), which the text of the action contains."""
        is_last = len(self.trajectory.messages) + 1 >= self.limits.max_turns
        return self.dialect.last_prefill if is_last and self.dialect.last_prefill else self.dialect.prefill

    # ------------------------------------------------------------------------------------------------- reset

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Opens an episode: the system text and the question, with the task's images.

        Raises UnknownNameError for an unknown task id, MediaError for an image that cannot be read, TaskError if the
        prompt alone exceeds a budget.
        """
        super().reset(seed=seed)
        task = self._chosen_task(options or {})
        views = task.opening_views
        images = tuple(show(view, self.budgets) for view in views)
        self._shown_sizes = [_size(image) for image in images]
        prompt = opening_prompt(task, self.dialect, self._shown_sizes, [native_size(view) for view in views])
        self._tokens = self._tokens_of(prompt.text, images)
        self._trajectory = Trajectory(task, prompt, views)
        exceeded = self._exceeded(0)
        if exceeded is not None:
            self._trajectory = None
            raise TaskError(
                f"the prompt of task {task.task_id!r} alone exceeds limits.max_{exceeded.value}; "
                "raise the limit, or leave the task out"
            )
        return self._observation(prompt.text, images), self._info(None, None)

    def _chosen_task(self, options: Mapping[str, Any]) -> Task:
        for name in options:
            if name != "task_id":
                raise UnknownNameError.among("reset option", str(name), ["task_id"])
        if options.get("task_id") is None:
            return self.task_set.tasks[int(self.np_random.integers(len(self.task_set)))]
        task_id = str(options["task_id"])
        if self._index_by_id is None:
            self._index_by_id = _indices_by_id(self.task_set.tasks)
        if task_id not in self._index_by_id:
            raise UnknownNameError.among("task", task_id, self._index_by_id, f"The task set is {self.task_set.name!r}.")
        return self.task_set.tasks[self._index_by_id[task_id]]

    # -------------------------------------------------------------------------------------------------- step

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Plays one turn of the assistant. Raises ResetNeeded after the end of the episode, TypeError unless `str`."""
        if not isinstance(action, str):
            raise TypeError(f"the action is the assistant's text, a str; got a {type(action).__name__}")
        if self.trajectory.stop is not None:
            raise gym.error.ResetNeeded(f"the episode has ended ({self.trajectory.stop.value}); call reset()")
        actions = self._read(action)
        if isinstance(actions[0], Answer):
            return self._end_with(action, actions[0])
        replies = Replies(self.trajectory, self.dialect, self.budgets, self._intervention).to(actions, action)
        images = tuple(image for reply in replies for image in reply.images)
        messages = len(self.trajectory.messages) + 1
        is_continued = isinstance(action, Unfinished) and isinstance(actions[0], Text)
        if messages + 1 == self.limits.max_turns and not is_continued:
            replies[-1] = replace(replies[-1], text=replies[-1].text + self._last_turn_text())
        self._tokens += self._tokens_of(action, ()) + self._tokens_of(text_of(replies), images)
        stop = self._exceeded(len(images))
        if stop is not None:
            replies, images = [Reply("", failure=reply.failure) for reply in replies], ()
            replies[0] = replace(replies[0], text=budget_text(stop, self.limits))
        elif messages >= self.limits.max_turns:
            stop = Stop.TURNS
        self._shown_sizes += [_size(image) for image in images]
        for number, (typed, reply) in enumerate(zip(actions, replies, strict=True)):
            turn = Turn("" if number else action, typed, reply.failure, reply.text, reply.views, number > 0)
            self._record(turn, stop=stop if number == len(replies) - 1 else None)
        observation = self._observation(text_of(replies), images)
        failure = next((reply.failure for reply in replies if reply.failure is not None), None)
        return observation, 0.0, False, stop is not None, self._info(actions[0], failure)

    def _read(self, text: str) -> tuple[Action, ...]:
        # The next turn continues one that was truncated, so a marker may begin in one turn and end in the other.
        message = _unfinished_text(self.trajectory.turns) + text
        whole = Unfinished(message) if isinstance(text, Unfinished) else message
        actions = parse_all(whole, self.dialect, self._shown_sizes, self._source_sizes())
        return (Text(text),) if isinstance(actions[0], Text) else actions

    def _source_sizes(self) -> list[Size]:
        coordinates = self.dialect.coordinates
        needed = "source_pixel" in (coordinates.unit, coordinates.otherwise if coordinates.unit == "guessed" else "")
        return [native_size(view) for view in self.trajectory.views] if needed else []

    def _last_turn_text(self) -> str:
        return last_turn_text(self.dialect, self.trajectory.task)

    def _end_with(self, text: str, answer: Answer) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        reward = grade(self.trajectory.task, answer.text)
        self._record(Turn(text, answer, None, ""), stop=Stop.ANSWERED, reward=reward, answer=answer.text)
        return {"text": "", "images": ()}, reward, True, False, self._info(answer, None)

    def _record(self, turn: Turn, **changes: Any) -> None:
        self._trajectory = replace(self.trajectory, turns=(*self.trajectory.turns, turn), **changes)

    # ----------------------------------------------------------------------------------------------- budgets

    def _observation(self, text: str, images: Sequence[np.ndarray]) -> Observation:
        return {"text": text, "images": tuple(image if self._share_images else image.copy() for image in images)}

    def _tokens_of(self, text: str, images: Sequence[np.ndarray]) -> int:
        if self.limits.max_tokens is None:
            return 0
        return self._count_tokens(text, [_size(image) for image in images])

    def _images_used(self) -> int:
        trajectory = self.trajectory
        own = 1 if trajectory.task.media == "video" else len(trajectory.prompt_views)
        return own + sum(len(turn.views) for turn in trajectory.turns)

    def _exceeded(self, new_images: int) -> Stop | None:
        if self._images_used() + new_images > self.limits.max_images:
            return Stop.IMAGES
        if self.limits.max_tokens is not None and self._tokens > self.limits.max_tokens:
            return Stop.TOKENS
        return None

    # ------------------------------------------------------------------------------------------ info and render

    def _info(self, action: Action | None, failure: Failure | None) -> dict[str, Any]:
        trajectory = self.trajectory
        return {
            "task_id": trajectory.task.task_id,
            "action": action,
            "failure": failure,
            "stop": trajectory.stop,
            "notice": self.task_set.notice,
        }

    def render(self) -> np.ndarray | str | None:
        """`rgb_array`: the source with every box drawn, and the last crop; `ansi`: the episode as text."""
        from pixel_env.render import draw_episode, episode_text

        match self.render_mode:
            case "rgb_array":
                return draw_episode(self.trajectory, self.budgets, self.task_set.notice)
            case "ansi":
                return episode_text(self.trajectory, self.task_set.notice)
            case _:
                return None


def _size(image: np.ndarray) -> Size:
    return image.shape[1], image.shape[0]


def _unfinished_text(turns: Sequence[Turn]) -> str:
    """The chunks at the end of `turns` that belong to a message that is not finished yet."""
    chunks: list[str] = []
    for turn in reversed(turns):
        if not (isinstance(turn.action, Text) and isinstance(turn.text, Unfinished)):
            break
        chunks.append(turn.text)
    return "".join(reversed(chunks))


def _indices_by_id(tasks: Sequence[Task]) -> dict[str, int]:
    indices: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if indices.setdefault(task.task_id, index) != index:
            raise TaskError(f"two tasks have the id {task.task_id!r}; give each task its own id")
    return indices
