"""ANLS: the similarity of an answer to the closest reference, by edit distance.

Depends on text; independent of the options of tasks.
"""

from pixel_env.grading.answers import folded, unwrapped
from pixel_env.task import Task

ANLS_THRESHOLD = 0.5
"""Answers farther than this from every reference score 0."""


def anls(answer: str, task: Task) -> float:
    """Normalised Levenshtein similarity to the closest reference, 0 below a half.

    The measure of ST-VQA (Biten et al., arXiv 1905.13648, equation 1) that DocVQA (2007.00398) and InfographicVQA
    (2104.12756) use: case and surrounding or repeated white space are ignored. A similarity of exactly a half counts,
    as in the scoring script of the Robust Reading Competition, from which published figures come; equation 1 sets it to
    0.
    """
    given = folded(unwrapped(answer))
    return max((_similarity(given, folded(unwrapped(reference))) for reference in task.answers), default=0.0)


def _similarity(first: str, second: str) -> float:
    if first == second:
        return 1.0
    longest = max(len(first), len(second))
    # The difference in length bounds the distance from below: a long text is not worth the quadratic table.
    if abs(len(first) - len(second)) > ANLS_THRESHOLD * longest:
        return 0.0
    distance = _edit_distance(first, second) / longest
    return 1.0 - distance if distance <= ANLS_THRESHOLD else 0.0


def _edit_distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        above, row = row, [i]
        for j, right in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
    return row[-1]
