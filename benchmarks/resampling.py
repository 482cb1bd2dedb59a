"""Intervals of a mean over seeds and questions, both resampled.

Pure: numpy on matrices of seeds and questions. Knows nothing of what was measured.
"""

import numpy as np

from agents.metrics.trajectories import NOTHING, Estimate


def mean_of_seeds_and_questions(values_SQ: np.ndarray, *, rng: np.random.Generator, draws: int = 4000) -> Estimate:
    """The mean of `values_SQ`, shape (seeds, questions); its 95 % interval resamples seeds and questions.

    Every seed was asked the same questions, so a draw of questions is one draw for all seeds. One seed leaves an
    interval over questions alone. `n` is the number of seeds.
    """
    seeds, questions = values_SQ.shape
    if values_SQ.size == 0:
        return NOTHING
    seeds_DS = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    questions_DQ = rng.multinomial(questions, np.full(questions, 1 / questions), size=draws)
    means_D = np.einsum("ds,sq,dq->d", seeds_DS, values_SQ, questions_DQ, optimize=True) / values_SQ.size
    low, high = np.percentile(means_D, [2.5, 97.5])
    return Estimate(float(values_SQ.mean()), float(low), float(high), seeds)
