"""`pixel-env eval-demo`: what an evaluation leaves, in a minute. Two players on the sample sets, a page for each run.

The embedded model plays the one set that it was taught to read; the oracle, which needs no model, plays one in the
style of each benchmark. Knows runs, pages and where they are put.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from agents.config.arguments import parse
from agents.metrics.trajectories import calls, rapr
from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import RunFolder
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import measured
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import seconds_per_answer
from benchmarks.evaluation.tables import accuracy_of_questions
from benchmarks.text_tables import fraction, table
from benchmarks.view.page import PAGE, read_run, write_page
from benchmarks.view.rows import Run
from pixel_env.command_line.values import AtLeastOne, AtLeastZero
from rewards.shaping import group_reward_named

INDEX = "index.html"
NOTICE = (
    "The sets are embedded samples in the style of the benchmarks, composed by a script. "
    "No score on one is a score on a benchmark."
)
WHO = (
    "tiny-zoom: the embedded model, on the set whose pictures and questions it was taught. "
    "oracle: no model; it looks at the evidence and gives the right answer, so it shows what a set allows."
)
_HEAD = ("set", "who", "questions", "score", "RaPR", "calls", "seconds")


@dataclass(frozen=True)
class EvalDemoConfig:
    """Evaluations of an embedded model and of an oracle on the sample sets, each with a page to look at."""

    output_dir: str = field(
        default="runs/eval_demo", metadata={"help": "output folder; an interrupted run resumes from it"}
    )
    limit: AtLeastOne = field(default=60, metadata={"help": "use only so many questions of each set"})
    seed: AtLeastZero = field(default=0, metadata={"help": "seed of the order of the options"})
    model: bool = field(default=True, metadata={"help": "evaluate the embedded model, too; --no_model needs no torch"})


@dataclass(frozen=True, slots=True)
class Played:
    """A run of the demo as a line of its table; `page` is relative to the demo's folder."""

    set_name: str
    who: str
    page: Path
    questions: int
    score: float
    rapr: float
    calls: float
    seconds: float

    @property
    def cells(self) -> list[str]:
        """The line, as text."""
        figures = [fraction(value) for value in (self.score, self.rapr, self.calls)]
        return [self.set_name, self.who, str(self.questions), *figures, f"{self.seconds:.1f}"]


def main(argv: list[str]) -> int:
    """`pixel-env eval-demo [--limit 60] [--output_dir runs/eval_demo]`. Returns the exit code."""
    config = parse(argv, EvalDemoConfig, "eval-demo")
    folder = Path(config.output_dir)
    played = [_played(evaluation, folder) for evaluation in evaluations(config)]
    write_index(folder / INDEX, played)
    print(f"\n{table([_HEAD, *(one.cells for one in played)], text_columns=2)}\n\n{NOTICE}\n{WHO}\n\n{folder / INDEX}")
    return 0


def evaluations(config: EvalDemoConfig) -> list[EvalConfig]:
    """The evaluations to run: the embedded model's, if it is to be evaluated, then the oracle's."""
    shared = EvalConfig(task_count=config.limit, seed=config.seed, policies=(LEARNED_ZOOM,))
    oracle = replace(shared, model="oracle", engine="scripted", dialect="default")
    runs = [replace(shared, tasks="sample:vstar-tiny", max_turns=2)] if config.model else []
    runs += [replace(oracle, tasks=f"sample:{name}") for name in ("vstar", "tallyqa", "infographics", "mvbench")]
    return [replace(run, output_dir=str(Path(config.output_dir) / _folder_name(run))) for run in runs]


def _folder_name(run: EvalConfig) -> str:
    return f"{run.tasks.removeprefix('sample:')}_{run.model}"


def _played(config: EvalConfig, folder: Path) -> Played:
    """Runs the evaluation, or what is missing of it, and writes its page."""
    plan = planned(config)
    page = plan.folder / PAGE
    with RunFolder.claimed(plan.folder, plan.recorded, resumes=True) as claimed:
        evaluation = measured(plan, claimed)
        write_page(page, [_named_after_player(read_run(plan.folder), config)], group_reward_named("paper"))
    trajectories = evaluation.of(LEARNED_ZOOM)
    return Played(
        set_name=evaluation.task_set.name,
        who=config.model,
        page=page.relative_to(folder),
        questions=len(trajectories),
        score=accuracy_of_questions(trajectories).value,
        rapr=rapr(trajectories),
        calls=calls(trajectories),
        seconds=seconds_per_answer(plan.folder)[LEARNED_ZOOM] * len(trajectories),
    )


def _named_after_player(run: Run, config: EvalConfig) -> Run:
    """The run with the player's name where its page tells the policy: there is only one, each player's own."""
    records = [replace(record, policy=config.model) for record in run.records]
    return replace(run, name=f"{config.model} on {config.tasks}", records=records)


def write_index(path: Path, played: Sequence[Played]) -> None:
    """Writes the page that leads to the runs' pages."""
    template = Template((resources.files("benchmarks.demo") / "eval_demo.html").read_text(encoding="utf-8"))
    head = _cells([escape(name) for name in _HEAD], "th")
    rows = "\n".join(f"<tr>{_cells(_linked(one), 'td')}</tr>" for one in played)
    write_whole(path, template.substitute(notice=escape(NOTICE), head=head, rows=rows, who=escape(WHO)))


def _linked(played: Played) -> list[str]:
    """The line of the table as HTML, its first cell a link to the page."""
    name, *others = map(escape, played.cells)
    return [f'<a href="{escape(played.page.as_posix())}">{name}</a>', *others]


def _cells(contents: Sequence[str], tag: str) -> str:
    """A row's cells; all but the first two hold numbers."""
    styles = ["", "", *[' class="number"'] * (len(contents) - 2)]
    return "".join(f"<{tag}{style}>{content}</{tag}>" for content, style in zip(contents, styles, strict=True))
