"""Does looking help? The ablations of an evaluation: the model as it is, beside itself with its looks taken away.

Knows policies, records and paired tests. Plays nothing (`evaluate.py`) and writes no file.
"""

from collections.abc import Mapping, Sequence

from agents.chat.format import ChatFormat
from benchmarks.evaluation.compare import ALL, Comparison, Graded, cells_of, comparisons
from benchmarks.evaluation.policies import BLANK_CROP, FALSIFIED, LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM, RANDOM_CROP
from benchmarks.evaluation.records import Evaluation
from benchmarks.text_tables import signed, table
from pixel_env.episode import Trajectory
from pixel_env.errors import ConfigError

TITLE = "Does looking help?"
ABLATIONS = (NO_ZOOM, *FALSIFIED, ORACLE_ZOOM)
TELLING = (NO_ZOOM, BLANK_CROP, RANDOM_CROP)
"""Looking helps if these lose. A model that was taught that a picture follows a call may lose its thread where none
does, so a withheld crop tells of that, too."""


def with_ablations(policies: Sequence[str], chat: ChatFormat, *, can_ban: bool) -> tuple[str, ...]:
    """The policies, the model as it is, and its ablations; without the one that bans calls where nobody can."""
    names = dict.fromkeys([*policies, LEARNED_ZOOM, *ABLATIONS])
    if not (can_ban and _has_one_opening(chat)):
        names.pop(NO_ZOOM)
    return tuple(names)


def _has_one_opening(chat: ChatFormat) -> bool:
    try:
        chat.call_opening_ids()
    except ConfigError:
        return False
    return True


def looking_report(evaluation: Evaluation, *, seed: int) -> str:
    """The ablations of the evaluation as a table, what was left out of it, and what it says in one sentence."""
    as_it_is = evaluation.of(LEARNED_ZOOM)
    learned = _graded(as_it_is)
    found = {
        name: comparisons(learned, _graded(played), seed=seed) for name in ABLATIONS if (played := evaluation.of(name))
    }
    head = ["ablation", "questions", "n", "as it is", "ablated", "difference", "95% interval"]
    head += ["only as it is right", "only ablated right", "McNemar p"]
    rows = [
        [_words(name), part, *cells_of(comparison)]
        for name, by_part in found.items()
        for part, comparison in by_part.items()
    ]
    told = table([head, *rows], text_columns=2)
    overall = {name: by_part[ALL] for name, by_part in found.items()}
    return "\n".join([TITLE, told, *_left_out(evaluation), _sentence(as_it_is, overall)])


def _graded(trajectories: Sequence[Trajectory]) -> dict[str, Graded]:
    return {
        one.task.task_id: Graded(one.task.question, one.task.answers, one.task.category, (one.reward,))
        for one in trajectories
    }


def _left_out(evaluation: Evaluation) -> list[str]:
    lines = []
    if blind := sum(not task.evidence for task in evaluation.task_set.tasks):
        whole = len(evaluation.task_set)
        lines.append(f"{blind} of {whole} questions have no evidence: no scripted look is played on them.")
    if not evaluation.of(NO_ZOOM):
        lines.append(
            "no zoom is left out: here nobody can keep the model from calling. Play --dialect NAME:notool into a "
            "folder of its own, and pair the two: pixel-env compare"
        )
    return lines


def _sentence(as_it_is: Sequence[Trajectory], overall: Mapping[str, Comparison]) -> str:
    """What the table says, in plain words."""
    looked = sum(trajectory.valid_operations > 0 for trajectory in as_it_is)
    if not looked:
        return "The model did not look once, so this does not tell whether looking would help it."
    told = f"The model looks in {looked} of {len(as_it_is)} episodes"
    differences = {name: overall[name].difference for name in TELLING if name in overall}
    fallen = [f"{signed(one.value)} with {_words(name)}" for name, one in differences.items() if one.high < 0]
    others = [_words(name) for name, one in differences.items() if one.high >= 0]
    if not fallen:
        return f"{told}, and nothing shows that it helps: no fall of accuracy is certain without what it sees there."
    if not others:
        return f"{told}, and looking helps: without what it sees there its accuracy falls ({', '.join(fallen)})."
    return (
        f"{told}, and looking helps in part: its accuracy falls ({', '.join(fallen)}), but no fall is certain with "
        f"{' and '.join(others)}."
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
