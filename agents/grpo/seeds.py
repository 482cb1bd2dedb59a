"""Seeds of a trainer's generations: the same after a resume, and in all processes that share a query.

Depends on steps and processes; independent of rollouts and TRL.
"""

import numpy as np


class GenerationSeeds:
    """One seed per generation of `mode` ("train" or "eval"), derived from the step and not from earlier generations.

    Counted per mode, because a resumed run does not repeat the evaluation before its first step.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last = {"train": (-1, 0), "eval": (-1, 0)}

    def count(self, mode: str) -> int:
        """How many generations of this step came before the last one."""
        return self._last[mode][1]

    def next(self, mode: str, step: int, process: int) -> int:
        """The seed of the next generation; `process` is 0 unless a query's rollouts are spread over several."""
        last_step, count = self._last[mode]
        count = count + 1 if last_step == step else 0
        self._last[mode] = (step, count)
        entropy = (self._seed, step, count, int(mode == "eval"), process)
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])
