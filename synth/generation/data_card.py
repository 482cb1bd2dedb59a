"""The data card: what a folder of traces holds, what it was made of and how, and what was left out.

Knows counts and texts. Says nothing that differs from run to run: no times, no prices, no machine.
"""

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, version

from agents.config.arguments import command_line
from agents.traces.trace import Mistake, Trace
from pixel_env.task import TaskSet
from synth.generation.config import SILENT, TEMPLATE, SynthConfig
from synth.plans.mix import Cell
from synth.seed_data import SeedReport

CARD, ATTRIBUTION = "README.md", "ATTRIBUTION.md"
_PACKAGES = ("numpy", "pillow")


@dataclass(frozen=True)
class Facts:
    """What the card tells. `wanted`: traces of each kind; `dropped`: plans by reason; `passed_over`: tasks that left no
    room for a kind of plan, by reason."""

    config: SynthConfig
    teacher: str
    task_set: TaskSet
    seeds: SeedReport
    wanted: Mapping[Cell, int]
    traces: Sequence[Trace]
    dropped: Mapping[str, int]
    passed_over: Mapping[str, int]


def data_card(facts: Facts) -> str:
    """The card, as Markdown."""
    parts = [
        _head(facts),
        f"## Mix\n\n{mix_table(facts)}",
        f"## Size\n\n{_table(('what', 'number'), _sizes(facts.traces))}",
        f"## Left out\n\n{left_out(facts)}",
        f"## Seeds\n\n{_seeds(facts)}",
        f"## Licence\n\n{_licence(facts)}",
        f"## How it was made\n\n{_making(facts)}",
    ]
    return "\n\n".join(parts) + "\n"


def mix_table(facts: Facts) -> str:
    """Each kind of trace on each medium: asked for and kept."""
    kept = Counter((trace.task.media, trace.kind) for trace in facts.traces)
    total, shares = sum(facts.wanted.values()), facts.config.mix.shares
    rows = [
        (medium, kind.value, f"{float(shares[medium, kind]):.1%}", str(number), str(kept[medium, kind.value]))
        for (medium, kind), number in facts.wanted.items()
    ]
    return _table(
        ("medium", "kind", "share", "asked", "kept"), [*rows, ("", "", "", str(total), str(len(facts.traces)))]
    )


def left_out(facts: Facts) -> str:
    """What was dropped, and why."""
    rows = [(reason, str(number)) for reason, number in sorted(facts.dropped.items())]
    passed = [(reason, str(number)) for reason, number in sorted(facts.passed_over.items())]
    head = ("plans dropped, and made up for as far as tasks were left, by reason", "number")
    texts = [_table(head, rows) if rows else "No trace was dropped."]
    if passed:
        texts.append(_table(("tasks passed over: kind of trace, and why", "number"), passed))
    return "\n\n".join(texts)


def _head(facts: Facts) -> str:
    return (
        f"# Traces\n\n{len(facts.traces)} episodes in which an assistant looks closer before it answers, made from "
        f"{facts.task_set.name} in the dialect `{facts.config.dialect}`. Each was played in the environment and did "
        "what its flags say. Turns with `train: false` are deliberate mistakes, shown and not learned.\n\n"
        "Train on them: `pixel-env sft --config RECIPE --model_name_or_path MODEL --traces FOLDER "
        f"--dialect {facts.config.dialect}`."
    )


def _sizes(traces: Sequence[Trace]) -> list[tuple[str, str]]:
    turns = [turn for trace in traces for turn in trace.turns]
    mistakes = Counter(turn.mistake for turn in turns if turn.mistake is not None)
    return [
        ("traces", str(len(traces))),
        ("tasks", str(len({trace.task.task_id for trace in traces}))),
        ("assistant turns", str(len(turns))),
        ("of them trained", str(sum(turn.train for turn in turns))),
        *((f"flagged {mistake.value}", str(mistakes[mistake])) for mistake in Mistake),
        ("characters that the assistant says", str(sum(len(turn.text) for turn in turns))),
    ]


def _seeds(facts: Facts) -> str:
    config = facts.config
    split = f"Seeds: `{config.seeds}`, split `{config.split}`, seed {config.seed}. There is one split."
    if is_embedded(config):
        split += " The other one (`--split`) has other photographs, digits and tables: make held-out traces of it."
    lines = [split, "```\n" + "\n".join(facts.seeds.lines()) + "\n```"]
    return "\n\n".join([*lines, facts.task_set.notice] if facts.task_set.notice else lines)


def _licence(facts: Facts) -> str:
    texts = (
        f"The texts are those of the {facts.teacher} teacher, which is part of pixel-env (Apache-2.0)."
        if facts.teacher in (TEMPLATE, SILENT)
        else f"The texts are what `{facts.teacher}` said: its provider's terms decide."
    )
    if facts.config.text_from == "student":
        texts += f" Those without pictures are samples of `{facts.config.student}`, whose terms decide about them."
    if is_embedded(facts.config):
        return (
            f"{texts} The pictures are composed of photographs (CC-BY-4.0, CC0-1.0), handwritten digits (CC-BY-4.0) "
            f"and tables, whose authors `{ATTRIBUTION}` names; it has to go where the pictures go."
        )
    seeds = facts.config.licence or "not stated: ask where the seeds are from (`--licence` writes it here)"
    return f"{texts} Pictures and annotations: {seeds}."


def is_embedded(config: SynthConfig) -> bool:
    """Whether the seeds are composed of what the package brings."""
    return config.seeds == "embedded" or config.seeds.startswith("sample:")


def attribution() -> str:
    """Where the embedded data come from."""
    return (resources.files("pixel_env") / "data" / ATTRIBUTION).read_text(encoding="utf-8")


def _making(facts: Facts) -> str:
    versions = [
        ("python", platform.python_version()),
        ("pixel-env", release()),
        *((name, version(name)) for name in _PACKAGES),
    ]
    teacher = facts.teacher if facts.teacher in (TEMPLATE, SILENT) else "URL"
    command = f"{command_line(facts.config, 'synth')} --teacher {teacher} --output_dir FOLDER"
    return (
        f"Teacher: `{facts.teacher}`.{_student(facts.config)}\n\n```bash\n{command}\n```\n\n"
        f"{_table(('package', 'version'), versions)}"
    )


def _student(config: SynthConfig) -> str:
    if not config.student:
        return ""
    asked = f" It was asked {config.attempts} times without looking about each seed; those that it answered right "
    asked += "every time are among `overview_suffices`."
    sampled = f" Text-only traces are its first right answers of {config.text_samples} samples at most."
    texts = (asked if config.attempts else "") + (sampled if config.text_from == "student" else "")
    return f" Student: `{config.student}`.{texts}"


def release() -> str:
    """The release of this package: another one may narrate otherwise."""
    try:
        return version("pixel-env")
    except PackageNotFoundError:
        return "a checkout"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
