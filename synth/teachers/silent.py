"""The teacher that says nothing: traces of calls and answers alone, as the embedded model is taught."""

from collections.abc import Iterator, Sequence

from synth.plans.plan import Narration, Plan, PlanKind, Refusal, silent


class SilentTeacher:
    """Refuses questions of text alone as "no_words": an answer without its reasoning teaches none."""

    name = "silent"

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Refusal]]:
        """Nothing, once for each plan."""
        for place, plan in enumerate(plans):
            if plan.kind is PlanKind.TEXT_ONLY:
                yield place, Refusal("no_words", "it has to be reasoned; give --media image=1 or another teacher")
            else:
                yield place, silent(plan)
