"""Questions that a set asks several times: accuracy over all rotations of the options, and the gap between two views.

Depends on trajectories and the statistics of clusters; independent of files and engines.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.metrics.clusters import mean_of_clusters, mean_of_questions, shared_clusters
from agents.metrics.statistics import Estimate, resampled_mean
from agents.metrics.trajectories import all_failed
from benchmarks.evaluation.records import Evaluation, Record
from benchmarks.evaluation.tables import parts_of
from benchmarks.text_tables import fraction, interval, signed, signed_interval, table
from pixel_env.task import GIVEN_CROP, WHOLE_IMAGE, Task, VariantKind

RIGHT = 0.5
"""A rotation counts as right from this grade on."""
_DRAWS = 10_000
_Rotations = dict[int | None, dict[str, float]]
"""Grades by the number of the sample (None: greedy), then by the rotation's name."""


def cyclic_accuracy(records: Sequence[Record]) -> Estimate | None:
    """The share of questions that are right in every rotation of their options (of several samples, the mean share).

    Known as circular evaluation (MMBench; VLMEvalKit's `prefetch_circular_group` in multiple_choice.py). A question of
    which a rotation was not played does not count; there are as many rotations as options. None without any question.
    """
    rotations: dict[str, _Rotations] = {}
    tasks: dict[str, Task] = {}
    for question, record in _of_kind("rotation", records):
        tasks[question] = task = record.trajectory.task
        samples = rotations.setdefault(question, {})
        samples.setdefault(record.sample, {})[_name(task)] = record.trajectory.reward
    right = {
        question: [float(min(grades.values()) >= RIGHT) for grades in samples.values()]
        for question, samples in rotations.items()
        if all(len(grades) >= len(tasks[question].options) for grades in samples.values())
    }
    return mean_of_questions(right, {question: tasks[question].cluster for question in right}) if right else None


@dataclass(frozen=True, slots=True)
class ZoomingGap:
    """Accuracy on the whole image, on the given crop, and the second minus the first, paired by question."""

    full: Estimate
    crop: Estimate
    gap: Estimate


def zooming_gap(records: Sequence[Record], *, seed: int = 0) -> ZoomingGap | None:
    """The gap over the questions that were played in both views; None without any."""
    views: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    clusters: dict[str, str] = {}
    for question, record in _of_kind("view", records):
        views[question][_name(record.trajectory.task)].append(record.trajectory.reward)
        clusters[question] = record.trajectory.task.cluster
    both = {question: grades for question, grades in views.items() if {WHOLE_IMAGE, GIVEN_CROP} <= grades.keys()}
    if not both:
        return None
    full, crop = ({question: grades[name] for question, grades in both.items()} for name in (WHOLE_IMAGE, GIVEN_CROP))
    differences_Q = np.array([np.mean(crop[question]) - np.mean(full[question]) for question in both])
    return ZoomingGap(
        mean_of_questions(full, clusters),
        mean_of_questions(crop, clusters),
        _mean(differences_Q, list(both), clusters, seed),
    )


def _of_kind(kind: VariantKind, records: Sequence[Record]) -> list[tuple[str, Record]]:
    """The records of variants of this kind with their question's id; none if all episodes failed."""
    if all_failed([record.trajectory for record in records]):
        return []
    variants = [(record.trajectory.task.variant, record) for record in records]
    return [(variant.question_id, record) for variant, record in variants if variant and variant.kind == kind]


def _name(task: Task) -> str:
    assert task.variant is not None, "asked of a variant"
    return task.variant.name


def _mean(differences_Q: np.ndarray, questions: Sequence[str], clusters: dict[str, str], seed: int) -> Estimate:
    numbers = shared_clusters((question, clusters[question]) for question in questions)
    if numbers is not None:
        return mean_of_clusters(list(differences_Q), numbers)
    return resampled_mean(differences_Q, rng=np.random.default_rng(seed), draws=_DRAWS)


# ------------------------------------------------------------------------------------------------------- tables


def variant_tables(evaluation: Evaluation) -> list[str]:
    """A table of cyclic accuracies where the set rotates options, one of zooming gaps where it shows two views."""
    parts = parts_of(evaluation)
    tables = []
    cyclic = {name: one for name, records in parts.items() if (one := cyclic_accuracy(records))}
    if cyclic:
        head = ["right in every rotation", "questions", "cyclic accuracy", "95% interval"]
        rows = [
            [_words(name), _counted(one.n, parts[name]), fraction(one.value), interval(one)]
            for name, one in cyclic.items()
        ]
        tables.append(table([head, *rows]))
    gaps = {name: gap for name, records in parts.items() if (gap := zooming_gap(records))}
    if gaps:
        head = ["views", "questions", "full", "95% interval", "crop", "95% interval", "crop - full", "95% interval"]
        tables.append(table([head, *([_words(name), *_gap_cells(gap)] for name, gap in gaps.items())]))
    return tables


def _counted(questions: int, records: Sequence[Record]) -> str:
    """The number of questions that count, and of how many, if some lack a rotation."""
    whole = len({question for question, _ in _of_kind("rotation", records)})
    return str(questions) if questions == whole else f"{questions} of {whole}"


def _gap_cells(one: ZoomingGap) -> list[str]:
    accuracies = [cell for view in (one.full, one.crop) for cell in (fraction(view.value), interval(view))]
    return [str(one.gap.n), *accuracies, signed(one.gap.value), signed_interval(one.gap)]


def _words(name: str) -> str:
    return name.replace("_", " ")
