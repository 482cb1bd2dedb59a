"""Control crops (`pixel-env eval --ablate`): the model compared with itself under blank, random and withheld crops.

Depends on policies, records and paired tests; independent of engines and files. `evaluate.py` plays the rollouts.
"""

from collections.abc import Mapping, Sequence

from agents.chat.format import ChatFormat
from agents.metrics.trajectories import all_failed
from benchmarks.evaluation.compare import ALL, Comparison, Graded, cells_of, clusters_note, comparisons
from benchmarks.evaluation.policies import BLANK_CROP, FALSIFIED, LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM, RANDOM_CROP
from benchmarks.evaluation.records import Evaluation
from benchmarks.text_tables import signed, table
from pixel_env.episode import Trajectory
from pixel_env.errors import ConfigError
from pixel_env.task import cluster_of

TITLE = "Control crops: do the model's operations help?"
CONTROLS = (NO_ZOOM, *FALSIFIED, ORACLE_ZOOM)
DECISIVE = (NO_ZOOM, BLANK_CROP, RANDOM_CROP)
"""Operations help if accuracy falls under these controls. A withheld crop is not among them: a model that was trained
to expect an image after a call may fail only because none follows."""


def with_controls(policies: Sequence[str], chat: ChatFormat, *, can_ban: bool) -> tuple[str, ...]:
    """The policies, the baseline and the controls; without `no_zoom` where calls cannot be banned."""
    names = dict.fromkeys([*policies, LEARNED_ZOOM, *CONTROLS])
    if not (can_ban and _has_one_opening(chat)):
        names.pop(NO_ZOOM)
    return tuple(names)


def _has_one_opening(chat: ChatFormat) -> bool:
    try:
        chat.call_opening_ids()
    except ConfigError:
        return False
    return True


def control_report(evaluation: Evaluation, *, seed: int) -> str:
    """A table of baseline and controls, notes on what was left out, and a conclusion in one sentence."""
    baseline = evaluation.of(LEARNED_ZOOM)
    if all_failed(baseline):
        return f"{TITLE}\nAll episodes of {_words(LEARNED_ZOOM)}, the baseline, failed: there is nothing to compare."
    learned = _graded(baseline)
    by_control = {
        name: comparisons(learned, _graded(played), seed=seed)
        for name in CONTROLS
        if (played := evaluation.of(name)) and not all_failed(played)
    }
    head = ["control", "questions", "n", "baseline", "with control", "difference", "95% interval"]
    head += ["only baseline right", "only control right", "McNemar p"]
    rows = [
        [_words(name), part, *cells_of(comparison)]
        for name, by_part in by_control.items()
        for part, comparison in by_part.items()
    ]
    figures = table([head, *rows], text_columns=2)
    overall = {name: by_part[ALL] for name, by_part in by_control.items()}
    clustered = [line for one in list(overall.values())[:1] for line in clusters_note(one)]
    return "\n".join([TITLE, figures, *clustered, *_left_out(evaluation), _sentence(baseline, overall)])


def _graded(trajectories: Sequence[Trajectory]) -> dict[str, Graded]:
    return {
        one.task.task_id: Graded(
            one.task.question, one.task.answers, one.task.category, (one.reward,), cluster_of(one.task)
        )
        for one in trajectories
    }


def _left_out(evaluation: Evaluation) -> list[str]:
    lines = []
    if without_evidence := sum(not task.evidence for task in evaluation.task_set.tasks):
        whole = len(evaluation.task_set)
        lines.append(f"{without_evidence} of {whole} questions have no evidence and no scripted operation.")
    for name in CONTROLS:
        if all_failed(evaluation.of(name)):
            lines.append(f"{_words(name)} is left out: all of its episodes failed.")
    if not evaluation.of(NO_ZOOM):
        lines.append(
            "no zoom is left out: calls cannot be banned with this engine or dialect. Evaluate --dialect NAME:notool "
            "into another folder and compare the two: pixel-env compare"
        )
    return lines


def _sentence(baseline: Sequence[Trajectory], overall: Mapping[str, Comparison]) -> str:
    """The conclusion from the table."""
    using = sum(trajectory.valid_operations > 0 for trajectory in baseline)
    if not using:
        return "The model executed no operation, so there is no conclusion on whether operations would help it."
    usage = f"The model executes operations in {using} of {len(baseline)} episodes"
    differences = {name: overall[name].difference for name in DECISIVE if name in overall}
    fallen = [f"{signed(one.value)} with {_words(name)}" for name, one in differences.items() if one.high < 0]
    others = [_words(name) for name, one in differences.items() if one.high >= 0]
    if not fallen:
        return f"{usage}. There is no evidence that they help: no significant fall with {' or '.join(others)}."
    if not others:
        return f"{usage}. They help: accuracy falls significantly ({', '.join(fallen)})."
    return (
        f"{usage}. They help in part: accuracy falls significantly ({', '.join(fallen)}), but not with "
        f"{' and '.join(others)}."
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
