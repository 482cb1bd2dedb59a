"""What comes back after a turn: the results of its operations, or why they were refused.

Depends on operations, the wording and interventions; independent of budgets of an episode, of grades and of how an
episode ends (`env.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.wording import expected_text, failure_text, observation_text
from pixel_env.episode import IMAGE_SIGN, Action, Answer, Malformed, Text, Trajectory, Unfinished, joined
from pixel_env.errors import MediaError
from pixel_env.failures import Failure, FailureCode
from pixel_env.interventions import ExecutedOperation, Intervention
from pixel_env.media.showing import show
from pixel_env.media.sizes import shown_size
from pixel_env.operations.operation import Operation
from pixel_env.views import View, ViewBudgets


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """The result of an action, before the budgets of the episode are checked."""

    text: str
    views: tuple[View, ...] = ()
    images: tuple[np.ndarray, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Replies:
    """The replies to one turn of an episode; all its actions act on the images before the turn."""

    trajectory: Trajectory
    dialect: Dialect
    budgets: ViewBudgets
    intervention: Intervention

    def to(self, actions: Sequence[Action], text: str) -> list[Reply]:
        """The reply to each action of the turn `text`, in order. A mistake of the model is never an exception."""
        replies: list[Reply] = []
        for call, action in enumerate(actions, start=self.trajectory.operations):
            images = len(self.trajectory.views) + sum(len(reply.images) for reply in replies)
            replies.append(self._to(action, text, images, call))
        return replies

    def _to(self, action: Action, text: str, images: int, call: int) -> Reply:
        try:
            match action:
                case Operation():
                    return self._execute(action, images, call)
                case Malformed(code, reason):
                    return self._refusal(Failure(code, reason), call)
                case Text() | Answer():
                    unfinished = isinstance(text, Unfinished)
                    return Reply("" if unfinished else expected_text(self.dialect, self.trajectory.task))
        except MediaError:
            return self._refusal(
                Failure(
                    FailureCode.UNREADABLE_SOURCE,
                    "That picture can no longer be read; look at another one, or answer from what was shown.",
                ),
                call,
            )

    def _execute(self, operation: Operation, images: int, call: int) -> Reply:
        """`images`: how many there are before its own; `call`: how many operations were called before."""
        views, task = self.trajectory.views, self.trajectory.task
        new = operation.run(views, task, self.dialect.rule)
        if isinstance(new, Failure):
            return self._refusal(new, call)
        sizes = [shown_size(view, self.budgets) for view in new]
        numbers, fields = range(images, images + len(new)), operation.observation_fields(task, self.dialect.rule)
        text = observation_text(operation, numbers, new, sizes, self.dialect, task, call=call, fields=fields)
        parent = None if operation.image_number is None else views[operation.image_number]
        turn = len(self.trajectory.turns) + call - self.trajectory.operations
        return self._with(text, turn, new, parent)

    def _with(self, text: str, turn: int, views: tuple[View, ...], parent: View | None) -> Reply:
        shown = self.intervention(ExecutedOperation(self.trajectory.task, turn, views, parent, self.budgets))
        if len(shown) != len(views):  # the signs stand for the operation's own images
            text = text.replace(IMAGE_SIGN, "")
        return Reply(text, shown, tuple(show(view, self.budgets) for view in shown))

    def _refusal(self, failure: Failure, call: int) -> Reply:
        return Reply(failure_text(failure, self.dialect, self.trajectory.task, call), failure=failure)


def text_of(replies: Sequence[Reply]) -> str:
    """The texts of the replies to one turn, as one message."""
    return joined([reply.text for reply in replies], [len(reply.images) for reply in replies])
