"""A judge's rulings as figures: its score beside the rule's, and how far the two agree.

Depends on records and rulings; independent of connections.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.metrics.statistics import cohens_kappa
from agents.metrics.trajectories import is_unparsed
from agents.run_folder.configuration import write_whole
from benchmarks.evaluation.judge.verdict import Ruling
from benchmarks.evaluation.records import Key, Record
from benchmarks.text_tables import fraction, table

VERDICTS = "verdicts.jsonl"
"""File of the rulings, in the folder of the evaluation."""
_RIGHT = 0.5
"""From this grade on the rule calls an answer right: ANLS gives a half or more, or nothing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rulings of one judge on an evaluation; `prompt`: a hash of what it was told."""

    model: str
    prompt: str
    rulings: Mapping[Key, Ruling]

    def grades(self, records: Sequence[Record]) -> dict[Key, float]:
        """Each record's grade by the judge: 1 for right, 0 for wrong and for what it was asked and did not judge.

        What it was not asked about keeps the rule's grade.
        """
        return {record.key: self._grade(record) for record in records}

    def _grade(self, record: Record) -> float:
        ruling = self.rulings[record.key]
        return record.trajectory.reward if ruling is Ruling.NOT_ASKED else float(ruling is Ruling.RIGHT)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the rule and the judge decide on the answers that both read, as a table of two by two.

    `unjudged`: asked, without a verdict. `unread`: answers that the rule could not read and the judge did;
    `unread_right`: how many of these it calls right.
    """

    both_right: int
    only_judge: int
    only_rule: int
    both_wrong: int
    unjudged: int
    unread: int
    unread_right: int

    @property
    def judged(self) -> int:
        """Answers with a verdict of both."""
        return self.both_right + self.only_judge + self.only_rule + self.both_wrong

    @property
    def share(self) -> float:
        """Share of equal verdicts; NaN without any."""
        return (self.both_right + self.both_wrong) / self.judged if self.judged else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa."""
        return cohens_kappa(self.both_right, self.only_judge, self.only_rule, self.both_wrong)


def agreement_on(records: Sequence[Record], judgement: Judgement) -> Agreement:
    """The agreement on these records."""
    counts = dict.fromkeys(((rule, judge) for rule in (True, False) for judge in (True, False)), 0)
    unjudged = unread = unread_right = 0
    for record in records:
        ruling = judgement.rulings[record.key]
        is_right = ruling is Ruling.RIGHT
        if ruling is Ruling.UNJUDGED:
            unjudged += 1
        elif ruling is not Ruling.NOT_ASKED and is_unparsed(record.trajectory):
            unread, unread_right = unread + 1, unread_right + is_right
        elif ruling is not Ruling.NOT_ASKED:
            counts[record.trajectory.reward >= _RIGHT, is_right] += 1
    return Agreement(
        counts[True, True],
        counts[False, True],
        counts[True, False],
        counts[False, False],
        unjudged,
        unread,
        unread_right,
    )


def write_verdicts(folder: Path, records: Sequence[Record], judgement: Judgement) -> Path:
    """Writes one JSON line for each record: the rule's grade and the judge's ruling. Returns the file's path."""
    path = folder / VERDICTS
    lines = [
        json.dumps(
            {
                "policy": record.policy,
                "task_id": record.trajectory.task.task_id,
                "sample": record.sample,
                "grade": record.trajectory.reward,
                "unparsed": is_unparsed(record.trajectory),
                "judge": judgement.rulings[record.key].value,
            }
        )
        for record in records
    ]
    write_whole(path, "".join(f"{line}\n" for line in lines))
    return path


def agreement_table(parts: Mapping[str, Sequence[Record]], judgement: Judgement) -> str:
    """A row for each policy: how many answers both judged, how far they agree, and what one of them could not read."""
    head = [f"judge {judgement.model}", "judged", "agreement", "kappa", "both right", "only judge", "only rule"]
    head += ["both wrong", "unjudged", "unparsed, judged", "of them right"]
    rows = [[name.replace("_", " "), *_cells(agreement_on(records, judgement))] for name, records in parts.items()]
    return table([head, *rows])


def _cells(one: Agreement) -> list[str]:
    counts = (one.both_right, one.only_judge, one.only_rule, one.both_wrong, one.unjudged, one.unread, one.unread_right)
    return [str(one.judged), fraction(one.share), fraction(one.kappa), *map(str, counts)]
