"""`pixel-env compare RUN_A RUN_B`: two evaluations of the same questions, paired question by question.

Depends on stored rows and statistics; independent of task sets, images and models. The test is McNemar's exact test
where every grade is 0 or 1 and each question has one answer; the interval of the difference resamples questions. Both
are by clusters (`agents/metrics/clusters.py`) where questions share some.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.metrics.clusters import mean_of_clusters, shared_clusters, sign_flips
from agents.metrics.statistics import Estimate, mcnemar, resampled_mean
from agents.run_folder.configuration import FILE_NAME, changed_names, read_configuration
from benchmarks.evaluation.clustered import clustered_note
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import ROWS, SAMPLED
from benchmarks.evaluation.stored_rows import rows_in
from benchmarks.text_tables import fraction, signed, signed_interval, table
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastZero
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError

ALL = "all"
"""Name of the table row over all questions."""
_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Graded:
    """A question of a run and its grades: one for a greedy answer, or one for each sampled answer.

    `cluster`: of its task, "" if its grades are independent of those of any other question. `unparsed`: how many of the
    answers the grader could not read; None for rows of a release that did not record it.
    """

    question: str
    answers: tuple[str, ...]
    category: str
    grades: tuple[float, ...]
    cluster: str = ""
    unparsed: int | None = None

    @property
    def mean(self) -> float:
        """The mean grade."""
        return sum(self.grades) / len(self.grades)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second run against the first. `p` is two-sided; None where grades are partial or sampled.

    It is McNemar's; where questions share clusters, that of `clusters.sign_flips`.
    """

    first: float
    second: float
    difference: Estimate
    only_first: int
    only_second: int
    p: float | None


def main(argv: list[str]) -> int:
    """`pixel-env compare RUN_A RUN_B [--policy NAME] [--other_policy NAME]`. Returns the exit code."""
    options = _parser().parse_args(argv)
    folders = (Path(options.run_a), Path(options.run_b))
    policies = (options.policy, options.other_policy or options.policy)
    first, second = (graded_in(folder, policy) for folder, policy in zip(folders, policies, strict=True))
    check_same_questions(first, second, folders)
    for letter, folder, policy in zip("AB", folders, policies, strict=True):
        print(f"{letter}: {folder}, {policy.replace('_', ' ')}")
    print(f"Configurations: {differences_between(*map(_configuration, folders))}")
    print(f"Unparsed answers: A {unparsed_cell(first)}, B {unparsed_cell(second)}")
    print(comparison_table(first, second, seed=options.seed))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "compare",
        usage="RUN_A RUN_B [--NAME VALUE ...]",
        description="Paired test between two evaluations of the same questions.",
    )
    parser.add_argument("run_a", metavar="RUN_A", help="folder of an evaluation")
    parser.add_argument("run_b", metavar="RUN_B", help="folder of another one, or the same one with another policy")
    parser.add_argument(
        "--policy",
        metavar="NAME",
        default=LEARNED_ZOOM,
        help=f"policy of both runs; {SAMPLED}: the sampled rollouts (default: %(default)s)",
    )
    parser.add_argument("--other_policy", metavar="NAME", help="policy of RUN_B, if it is another one")
    parser.add_argument(
        "--seed", type=value(AtLeastZero), metavar="N", default=0, help="seed of the bootstrap (default: %(default)s)"
    )
    return parser


def graded_in(folder: Path, policy: str) -> dict[str, Graded]:
    """The questions of the run by task id, with their grades under `policy`.

    Raises ConfigError if there are none, or all episodes failed. A failed episode counts as wrong, and is warned of.
    Where a rollout has several rows, the last one counts.
    """
    rows = list(rows_in(folder / ROWS))
    kept = {(row["task_id"], row["sample"]): row for row in rows if _policy(row) == policy}
    if not kept:
        held = ", ".join(sorted({_policy(row) for row in rows})) or "nothing"
        raise ConfigError(
            f"{folder} holds no answers of the policy {policy!r}; it holds: {held}. Choose another with --policy and "
            "--other_policy, or run pixel-env eval."
        )
    _check_failed(folder, policy, list(kept.values()))
    grades: dict[str, list[float]] = {}
    marks: dict[str, list[bool | None]] = {}
    for (task_id, _), row in kept.items():
        grades.setdefault(task_id, []).append(row["reward"])
        marks.setdefault(task_id, []).append(row.get("unparsed"))
    return {
        task_id: Graded(
            row["question"],
            tuple(row["answers"]),
            row["category"],
            tuple(grades[task_id]),
            row.get("cluster", ""),
            _number(marks[task_id]),
        )
        for (task_id, _), row in kept.items()
    }


def _number(marks: Sequence[bool | None]) -> int | None:
    return None if None in marks else sum(map(bool, marks))


def unparsed_cell(run: Mapping[str, Graded]) -> str:
    """The number of unparsed answers of a run; a dash where its rows do not tell."""
    counts = [one.unparsed for one in run.values()]
    return "-" if None in counts else str(sum(filter(None, counts)))


def _check_failed(folder: Path, policy: str, rows: Sequence[Mapping[str, Any]]) -> None:
    broken = [row for row in rows if row["stop"] == Stop.FAILED]
    if not broken:
        return
    again = "Run its pixel-env eval again: it repeats the failed ones."
    if len(broken) == len(rows):
        raise ConfigError(
            f"All {len(rows)} episodes of {policy!r} in {folder} failed, so there is no accuracy to compare. The first "
            f"error: {broken[0].get('error')}. {again}"
        )
    print(f"{len(broken)} of {len(rows)} episodes in {folder} failed and count as wrong. {again}", file=sys.stderr)


def _policy(row: Mapping[str, Any]) -> str:
    policy: str = SAMPLED if row["sample"] is not None else row["policy"]
    return policy


def check_same_questions(first: Mapping[str, Graded], second: Mapping[str, Graded], folders: tuple[Path, Path]) -> None:
    """Raises ConfigError, which names a differing question, unless both runs have the same questions."""
    odd = sorted(first.keys() ^ second.keys())
    if odd:
        holder = folders[0] if odd[0] in first else folders[1]
        raise ConfigError(
            f"The runs have different questions: {odd[0]!r} is only in {holder} ({len(odd)} are in one run only). "
            "Compare runs of the same tasks; run the command of an interrupted run again to complete it."
        )
    for task_id, one in first.items():
        other = second[task_id]
        if (one.question, sorted(one.answers)) != (other.question, sorted(other.answers)):
            raise ConfigError(
                f"The runs have different questions: {task_id!r} is {one.question!r} with {list(one.answers)} in "
                f"{folders[0]}, and {other.question!r} with {list(other.answers)} in {folders[1]}."
            )


def comparison_table(first: Mapping[str, Graded], second: Mapping[str, Graded], *, seed: int) -> str:
    """The table of the comparison: a row for all questions, and one for each category where there are several."""
    head = ["questions", "n", "A", "B", "B - A", "95% interval", "only A right", "only B right", "McNemar p"]
    by_part = comparisons(first, second, seed=seed)
    rows = [[name, *cells_of(comparison)] for name, comparison in by_part.items()]
    return "\n".join([table([head, *rows]), *clusters_note(by_part[ALL])])


def clusters_note(comparison: Comparison) -> list[str]:
    """A line on what clusters change in a table of comparisons; none without clusters."""
    notes = clustered_note(comparison.difference)
    return [f"{note} p is that of flipping the signs of whole clusters." for note in notes]


def cells_of(comparison: Comparison) -> list[str]:
    """n, both scores, the difference, its interval, the questions that only one run got right, and p."""
    pairs = (
        ["-"] * 3
        if comparison.p is None
        else [str(comparison.only_first), str(comparison.only_second), f"{comparison.p:.3g}"]
    )
    scores = [fraction(comparison.first), fraction(comparison.second), signed(comparison.difference.value)]
    return [str(comparison.difference.n), *scores, signed_interval(comparison.difference), *pairs]


def comparisons(first: Mapping[str, Graded], second: Mapping[str, Graded], *, seed: int) -> dict[str, Comparison]:
    """Of all questions, then of each category where there are several. `first` has all questions of `second`."""
    categories = list(dict.fromkeys(one.category for one in second.values()))
    parts = {ALL: list(second)}
    if len(categories) > 1:
        parts |= {name or "-": [t for t, one in second.items() if one.category == name] for name in categories}
    return {
        name: compared([first[t] for t in task_ids], [second[t] for t in task_ids], seed=seed)
        for name, task_ids in parts.items()
    }


def compared(first: Sequence[Graded], second: Sequence[Graded], *, seed: int) -> Comparison:
    """The second run against the first; both list the questions in the same order."""
    grades_2Q = np.array([[one.mean for one in run] for run in (first, second)])
    differences_Q = grades_2Q[1] - grades_2Q[0]
    clusters = _clusters(first, second)
    if clusters:
        estimate = mean_of_clusters(list(differences_Q), clusters)
    else:
        estimate = resampled_mean(differences_Q, rng=np.random.default_rng(seed), draws=_DRAWS)
    is_paired = all(len(one.grades) == 1 and one.grades[0] in (0.0, 1.0) for one in (*first, *second))
    only_first, only_second = int((differences_Q < 0).sum()), int((differences_Q > 0).sum())
    p = None
    if is_paired:
        p = sign_flips(_sums(differences_Q, clusters)) if clusters else mcnemar(only_first, only_second)
    return Comparison(float(grades_2Q[0].mean()), float(grades_2Q[1].mean()), estimate, only_first, only_second, p)


def _clusters(first: Sequence[Graded], second: Sequence[Graded]) -> list[int] | None:
    """The cluster of each question, as either run has it: a run made before its set named clusters has none."""
    names = [one.cluster or other.cluster for one, other in zip(first, second, strict=True)]
    return shared_clusters((str(index), name) for index, name in enumerate(names))


def _sums(differences_Q: np.ndarray, clusters: Sequence[int]) -> list[int]:
    return [round(float(total)) for total in np.bincount(clusters, differences_Q)]


def differences_between(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """The differences between the two configurations as text; "the same" if there are none."""
    names = changed_names(first, second)
    differences = [f"{name} (A: {_short(first.get(name))}, B: {_short(second.get(name))})" for name in names]
    return "; ".join(differences) if differences else "the same"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _configuration(folder: Path) -> dict[str, Any]:
    return read_configuration(folder) if (folder / FILE_NAME).exists() else {}
