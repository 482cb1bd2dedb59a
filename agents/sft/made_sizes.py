"""Whether a trace's calls in pixels mean the same where it is trained: its images must be shown as large as when made.

Depends on traces that know the pixel budgets of their making, and on replayed episodes; independent of tokens.
"""

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory
from pixel_env.media.sizes import shown_size
from pixel_env.operations.operation import Operation


def other_size(trace: Trace, trajectory: Trajectory, settings: EpisodeSettings) -> str:
    """What is shown in another size than when the trace's calls were written, where they are in pixels; else "".

    Only the images that a call names matter. Nothing is known of a trace without budgets.
    """
    made = trace.budgets
    if settings.dialect.coordinates.unit != "pixel" or made is None or made == settings.budgets:
        return ""
    views = trajectory.views
    for number, step in enumerate(trajectory.turns, 1):
        image = step.action.image_number if isinstance(step.action, Operation) else None
        # A call that cannot be read as an operation may be outside of an image that is smaller now: the first counts.
        if not isinstance(step.action, Operation) and step.failure is not None:
            image = 0
        if image is None or image >= len(views):
            continue
        was, now = shown_size(views[image], made), shown_size(views[image], settings.budgets)
        if was != now:
            return (
                f"image {image + 1} of turn {number} is shown at {now[0]}x{now[1]} pixels, and was at {was[0]}x{was[1]}"
            )
    return ""
