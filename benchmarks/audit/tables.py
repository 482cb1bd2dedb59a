"""An audit as text tables.

Depends on figures; independent of files and pages.
"""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.audit.answers import Answered
from benchmarks.audit.figures import Audit, Figures
from benchmarks.audit.overlaps import Overlap
from benchmarks.audit.readings import Example
from benchmarks.audit.regions import CropRegions
from benchmarks.text_tables import fraction, table
from pixel_env.boxes import Box

Rows = list[list[str]]

PAIRS = {
    "delivered": "asked / delivered",
    "guessed": "asked / guess",
    "asked_evidence": "evidence / asked",
    "delivered_evidence": "evidence / delivered",
}
"""The fields of `Overlaps` with two regions, as a table names them: `covered` is of the first in the second."""


def sections(audit: Audit) -> Iterator[tuple[str, Rows]]:
    """The tables of an audit, each with its title; those without a row are left out."""
    groups = _groups(audit)
    tables = {
        "Regions of executed crops": (_region_head(), [row for name, one in groups for row in _region_rows(name, one)]),
        "Repeated and whole-image crops": (
            ["episodes", "crops", "repeated", "whole image", "no box in the unit asked in"],
            [_crop_row(name, one) for name, one in groups if one.overlaps.crops],
        ),
        "Images that came back, by what they show": (
            ["episodes", "shows", "images", "of them"],
            [row for name, one in groups for row in _place_rows(name, one)],
        ),
        "Answers": (
            ["episodes", "n", "with an operation", "right", "without one", "right", "unanswered"],
            [_answer_row(name, one) for name, one in groups],
        ),
        "Boxes refused by an edge rule": (_rule_head(groups), [row for pair in groups for row in _rule_rows(*pair)]),
        "Turns without an operation that another dialect reads as a call": (
            ["episodes", "dialect", "turns", "calls", "of them"],
            [row for name, one in groups for row in _reading_rows(name, one)],
        ),
    }
    for title, (head, rows) in tables.items():
        if rows:
            yield title, [head, *rows]


def text_of(audit: Audit, worst: Sequence[CropRegions]) -> str:
    """The whole audit as text; `worst`: the crops to list."""
    parts = [f"{title}\n{table(rows, text_columns=2)}" for title, rows in sections(audit)]
    if examples := example_lines(audit):
        parts.append("\n".join(["Examples", *examples]))
    if worst:
        parts.append("\n".join(["Worst crops, in fractions of the source", *map(crop_line, worst)]))
    return printable("\n\n".join(parts))


def printable(text: str) -> str:
    """`text` with lone surrogates, which broken output of a model may hold, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def example_lines(audit: Audit) -> list[str]:
    """For each dialect that reads calls elsewhere, its first example."""
    examples: dict[str, Example] = {}
    for policy in audit.policies.values():
        for dialect, reading in policy.all.readings.by_dialect.items():
            if reading.example is not None:
                examples.setdefault(dialect, reading.example)
    return [f"{name}: task {one.task_id}, turn {one.turn + 1}: {one.text!r}" for name, one in examples.items()]


def crop_line(crop: CropRegions) -> str:
    """One crop: where it is, its regions and its overlaps."""
    task = crop.record.trajectory.task
    parts = [f"task {task.task_id}, {crop.record.policy}, turn {crop.turn + 1}: asked {_box(crop.asked)}"]
    parts += [f"delivered {_box(crop.delivered)}", f"IoU {crop.iou:.3f}"]
    if crop.evidence:
        parts.append(f"evidence {_box(crop.evidence[0])}, {crop.evidence_shown:.0%} of it delivered")
    return ", ".join(parts)


def _box(box: Box | None) -> str:
    return "nothing" if box is None else f"[{' '.join(f'{corner:.3f}' for corner in box.corners)}]"


def _groups(audit: Audit) -> list[tuple[str, Figures]]:
    """The figures by policy, each followed by its categories where there are several."""
    groups = []
    for name, policy in audit.policies.items():
        groups.append((name.replace("_", " "), policy.all))
        if len(policy.by_category) > 1:
            groups += [(f"  {category or '-'}", one) for category, one in policy.by_category.items()]
    return groups


# --------------------------------------------------------------------------------------------------------- regions


def _region_head() -> list[str]:
    return ["episodes", "regions", "n", "mean IoU", "median", "IoU < 0.5", "no overlap", "covered"]


def _region_rows(name: str, figures: Figures) -> Rows:
    pairs: Mapping[str, Overlap] = {label: getattr(figures.overlaps, field) for field, label in PAIRS.items()}
    return [[name, label, *_overlap_cells(overlap)] for label, overlap in pairs.items() if overlap.n]


def _overlap_cells(overlap: Overlap) -> list[str]:
    values = (overlap.mean_iou, overlap.quartiles[2], overlap.low, overlap.apart, overlap.covered)
    return [str(overlap.n), *map(fraction, values)]


def _crop_row(name: str, figures: Figures) -> list[str]:
    overlaps = figures.overlaps
    counts = (overlaps.repeated, overlaps.whole, overlaps.unread)
    return [name, str(overlaps.crops), *(_of(count, overlaps.crops) for count in counts)]


def _place_rows(name: str, figures: Figures) -> Rows:
    total = sum(figures.places.values())
    return [[name, place, str(count), _share(count, total)] for place, count in figures.places.items()]


# --------------------------------------------------------------------------------------------------------- answers


def _answer_row(name: str, figures: Figures) -> list[str]:
    answers = figures.answers
    halves = [cell for half in (answers.with_operation, answers.without_operation) for cell in _answered_cells(half)]
    return [name, str(figures.episodes), *halves, str(answers.unanswered)]


def _answered_cells(answered: Answered) -> list[str]:
    return [str(answered.n), _of(answered.right, answered.graded)]


# ------------------------------------------------------------------------------------------------ refused, misread


def _rule_head(groups: Sequence[tuple[str, Figures]]) -> list[str]:
    return ["episodes", "refused as", "n", "of all boxes", *(f"executed by: {name}" for name in _rules(groups))]


def _rules(groups: Sequence[tuple[str, Figures]]) -> list[str]:
    used = (name for _, one in groups for refused in one.refused.by_code.values() for name in refused.executed)
    return list(dict.fromkeys(used))


def _rule_rows(name: str, figures: Figures) -> Rows:
    rows = []
    for code, refused in figures.refused.by_code.items():
        others = [
            f"{executed} ({refused.shows_evidence[rule]} at the evidence)" if executed else "0"
            for rule, executed in refused.executed.items()
        ]
        rows.append([name, code, str(refused.n), _share(refused.n, figures.refused.boxes), *others])
    return rows


def _reading_rows(name: str, figures: Figures) -> Rows:
    turns = sum(figures.readings.turns.values())
    rows = []
    for dialect, reading in figures.readings.by_dialect.items():
        kinds = ", ".join(f"{kind} {count}" for kind, count in reading.calls.items())
        rows.append([name, dialect, str(turns), str(sum(reading.calls.values())), kinds])
    return rows


def _of(count: int, total: int) -> str:
    return f"{count} ({_share(count, total)})" if total else "-"


def _share(count: int, total: int) -> str:
    return fraction(count / total if total else float("nan"))
