"""What others published about a protocol, beside our figure: only on the benchmark itself, with what differs.

Depends on plans and protocols; independent of records. A sample set is never a benchmark.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.evaluation.plan import EvalPlan
from benchmarks.protocols.protocol import TEXTS, Protocol, Published
from benchmarks.protocols.texts import FLAGS
from pixel_env.task import TaskSet
from pixel_env.tasks import SAMPLE_PREFIX


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark by the name that protocols use: how many questions it has, and what its files are called."""

    name: str
    questions: int
    pattern: str


BENCHMARKS = (
    Benchmark("V*", 191, r"v-?star"),
    Benchmark("HR-Bench 4K", 800, r"hr-?bench.?4k"),
    Benchmark("HR-Bench 8K", 800, r"hr-?bench.?8k"),
)
"""Those that are recognised: by the name of the file or the folder, and by the number of questions."""


def benchmark_of(tasks: str, task_set: TaskSet) -> str | None:
    """The benchmark that a task set is, all of it; `tasks`: as `--tasks` names it. None for any other set."""
    if tasks.startswith(SAMPLE_PREFIX) or task_set.name.startswith(SAMPLE_PREFIX):
        return None
    named = (tasks.replace("_", "-"), task_set.name.replace("_", "-"))
    for benchmark in BENCHMARKS:
        is_named = any(re.search(benchmark.pattern, name, re.IGNORECASE) for name in named)
        if is_named and len(task_set) == benchmark.questions:
            return benchmark.name
    return None


def published_on(protocol: Protocol, benchmark: str | None) -> tuple[Published, ...]:
    """The published numbers of a protocol on a benchmark; none without one."""
    return tuple(one for one in protocol.published if one.benchmark == benchmark)


def published_cell(numbers: Sequence[Published]) -> str:
    """The numbers for a table: "88.2 avg@32"; a dash for none."""
    return " / ".join(f"{one.value:g}{_k(one)}" for one in numbers) or "-"


def _k(published: Published) -> str:
    return "" if published.k is None else f" avg@{published.k}"


def notes_on(plan: EvalPlan, benchmark: str | None) -> list[str]:
    """What stands below the tables of a protocol: published numbers with their places, and what differs here."""
    protocol = plan.protocol
    assert protocol is not None, "asked for a run of a protocol"
    lines = [f"Protocol {protocol.name}: {protocol.about}."]
    numbers = published_on(protocol, benchmark)
    for one in numbers:
        model = f", {one.checkpoint}" if one.checkpoint else ""
        who = "a re-run by others" if one.is_rerun else "published"
        lines.append(f"  {benchmark}: {one.value:g} %{_k(one)}{model} ({who}; {one.where})")
    if not numbers and protocol.repository:
        reason = protocol.unpublished or "published numbers are shown on the benchmark itself alone"
        lines.append(f"  No published number stands beside this one: {reason}.")
    lines += [f"  Differs: {text}" for text in differences(plan)]
    return lines


def differences(plan: EvalPlan) -> list[str]:
    """What this run does otherwise than the published evaluation, one sentence each; none for our own protocols."""
    protocol = plan.protocol
    if protocol is None or not protocol.repository:
        return []
    found = [_text_difference(protocol, kind) for kind in TEXTS if kind in protocol.texts and kind not in plan.texts]
    unchecked = [kind for kind in plan.texts if kind not in protocol.texts]
    found += [f"the {kind} text is of a file that {protocol.name} does not know" for kind in unchecked]
    if not {"system", "question"} & {*protocol.texts, *plan.texts}:
        found.append("the prompt is in our words")
    if protocol.judge:
        found.append(f"graded by our graders; theirs: {protocol.judge}")
    if protocol.options_order:
        found.append(f"options in the order of this run; theirs: {protocol.options_order}")
    if plan.task_set.budgets is not None:
        found.append("the pixel budgets are those of the task set")
    return [*found, *protocol.deviations]


def _text_difference(protocol: Protocol, kind: str) -> str:
    text = protocol.texts[kind]
    way = f"; give it with {FLAGS[kind]}" if kind in FLAGS else ""
    return (
        f"the {kind} text is in our words (theirs: sha256 {text.sha256[:12]}..., {text.extract}, in {text.file}{way})"
    )
