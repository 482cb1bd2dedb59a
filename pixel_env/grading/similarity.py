"""ANLS: the similarity of an answer to the closest reference, by edit distance.

Depends on text; independent of the options of tasks.
"""

from collections.abc import Sequence

from pixel_env.grading.answers import folded, unwrapped, without_markup
from pixel_env.task import Task

ANLS_THRESHOLD = 0.5
"""Answers farther than this from every reference score 0."""


def anls(answer: str, task: Task) -> float:
    """Normalised Levenshtein similarity to the closest reference, 0 below a half.

    The measure of ST-VQA (Biten et al., arXiv 1905.13648, equation 1) that DocVQA (2007.00398) and InfographicVQA
    (2104.12756) use: case and surrounding or repeated white space are ignored. A similarity of exactly a half counts,
    as in the scoring script of the Robust Reading Competition, from which published figures come; equation 1 sets it to
    0. An answer without a letter, a digit or a symbol such as "+" earns nothing, whatever the references.
    """
    given = folded(unwrapped(answer))
    if not given:
        return 0.0
    return max((_similarity(given, folded(without_markup(reference))) for reference in task.answers), default=0.0)


def anls_of_raw_text(answer: str, references: Sequence[str]) -> float:
    r"""ANLS as it is published: of the answer as it stands, with its lead-in and its markup.

    The rule of `anls` in lmms_eval/api/metrics.py (lmms-eval) and `anls_compute` in vlmeval/dataset/utils/vqa_eval.py
    (VLMEvalKit): both texts in lower case, with runs of white space as one space; their edit distance over the length
    of the longer text *before* that, in upper case. One difference: there an empty answer to an empty reference is 1,
    and here an empty answer is 0.
    """
    given = _as_published(answer)
    if not given:
        return 0.0
    return max((_published_similarity(answer, given, reference) for reference in references), default=0.0)


def _similarity(first: str, second: str) -> float:
    return _one_minus_share(first, second, max(len(first), len(second)))


def _published_similarity(answer: str, given: str, reference: str) -> float:
    return _one_minus_share(given, _as_published(reference), max(len(reference.upper()), len(answer.upper())))


def _as_published(text: str) -> str:
    return " ".join(text.lower().split())


def _one_minus_share(first: str, second: str, longest: int) -> float:
    """1 - distance / `longest`, or 0 if the distance is more than half of it."""
    if first == second:
        return 1.0
    # The difference in length bounds the distance from below: a long text is not worth the quadratic table.
    if abs(len(first) - len(second)) > ANLS_THRESHOLD * longest:
        return 0.0
    share = _edit_distance(first, second) / longest
    return 1.0 - share if share <= ANLS_THRESHOLD else 0.0


def _edit_distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        above, row = row, [i]
        for j, right in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
    return row[-1]
