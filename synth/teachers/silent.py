"""The teacher without texts: its traces have only calls and answers, as the embedded model is trained.

Depends on plans; independent of dialects and models.
"""

from collections.abc import Iterator, Sequence

from synth.plans.plan import Narration, Plan, PlanKind, Refusal, silent


class SilentTeacher:
    """Refuses text-only questions as "no_words": an answer without its reasoning teaches nothing."""

    name = "silent"

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Refusal]]:
        """Yields an empty narration, or a refusal, for each plan."""
        for index, plan in enumerate(plans):
            if plan.kind is PlanKind.TEXT_ONLY:
                yield index, Refusal("no_words", "it needs written reasoning; give --media image=1 or another teacher")
            else:
                yield index, silent(plan)
