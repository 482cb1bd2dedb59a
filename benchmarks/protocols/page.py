"""docs/protocols.md, made from the values: `python -m benchmarks.protocols.page > docs/protocols.md`.

Depends on protocols and on calls as checkpoints write them; independent of evaluations.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.protocols.checkpoint_calls import HABITS, call_in, outcomes_of
from benchmarks.protocols.fields import FIELDS, shown
from benchmarks.protocols.protocol import Protocol
from benchmarks.protocols.table import PROTOCOLS
from benchmarks.text_tables import markdown_lines
from pixel_env.dialects.table import DIALECTS, PEERS

GOLDEN = Path("tests/pixel_env/golden")
"""Where the golden values are in a checkout."""

_HEAD = """\
# Evaluation protocols

<!-- Made by `python -m benchmarks.protocols.page`; a test compares. Change the values in benchmarks/protocols/. -->

One checkpoint has many scores, because everybody plays it in a loop of his own. A protocol is that loop as a value:
dialect, limits, sampling, pixels, k, scorer, and what was published with it.

```sh
pixel-env eval --model MY_CHECKPOINT --protocol mini-o3 --tasks data/vstar
pixel-env eval --model MY_CHECKPOINT --protocol mini-o3,common,notool --dialect mini-o3 --tasks data/vstar
pixel-env protocol show mini-o3
```

- `common` is the same for all models: greedy, our limits, pixels and scorer, in the model's own dialect. `notool` is
  `common` without tools. The model's own dialect is that of its folder, or `--dialect`.
- Several names with commas between them are played in turn, each into a folder below `--output_dir`. The report sets
  them side by side, each paired with the first one question by question (bootstrap over questions, 95 %).
- A flag that contradicts the protocol is refused; one with its default value counts as not given. What differs goes
  into a protocol of your own: a file (`--protocol my.yaml`) with `base: mini-o3` and fields as
  `pixel-env protocol show mini-o3 --yaml` prints them, or a value named as `module:NAME`.
- `retries: {count: 3, temperature: 1.0}` repeats an episode that ends without an answer; the last attempt counts, and
  the report says how many were repeated.
- `configuration.json` records the protocol as data.
- Other projects' texts are not part of this repository: the prompts are in our words. `--system_file` and
  `--prompt_file` take theirs. A text whose SHA-256 is not the one below is refused; the message says where it stands
  and how to take it out. A line break at the end of the file does not count.
- A published number stands beside ours on the whole benchmark alone (recognised by the name of its file and the number
  of its questions: V*, HR-Bench 4K and 8K), never on a sample set or on a part. The report lists what differs.
- Sets that declare pixel budgets, as the sample sets do, keep them under every protocol.

**Not run**: no number on this page was reproduced, and no checkpoint of these projects was evaluated.
"""


def page(golden: Path) -> str:
    """The whole page. `golden`: the folder of values computed by other projects' code, which the rows name."""
    lines = [_HEAD, "## All at a glance", "", *_overview(), "", "## Published numbers", "", *_published(), ""]
    for protocol in PROTOCOLS.values():
        lines += [f"## `{protocol.name}`", "", f"{_sentence(protocol.about)}", "", *_fields(protocol), ""]
        lines += [*_texts(protocol), *_deviations(protocol)]
    lines += [*_calls(golden)]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _overview() -> list[str]:
    head = ["protocol", "turns", "images", "tokens", "tokens of a turn", "temperature", "k", "graded there by"]
    rows = [
        [
            f"`{protocol.name}`",
            str(protocol.limits.max_turns),
            str(protocol.limits.max_images),
            _number(protocol.limits.max_tokens),
            _number(protocol.max_turn_tokens),
            f"{protocol.temperature:g}",
            str(protocol.samples),
            _cell(protocol.judge),
        ]
        for protocol in PROTOCOLS.values()
    ]
    return markdown_lines([head, *rows])


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _published() -> list[str]:
    head = ["benchmark", "percent", "k", "protocol", "of", "where it is written"]
    rows = [
        [
            _cell(one.benchmark),
            f"{one.value:g}",
            _number(one.k),
            protocol.name,
            f"{one.checkpoint or 'the checkpoint of the protocol'}{', a re-run by others' if one.is_rerun else ''}",
            one.where,
        ]
        for protocol in PROTOCOLS.values()
        for one in protocol.published
    ]
    missing = [f"- `{one.name}`: {one.unpublished}." for one in PROTOCOLS.values() if one.unpublished]
    return [*markdown_lines([head, *rows]), "", "Without a number:", "", *missing]


def _fields(protocol: Protocol) -> list[str]:
    origin = "ours" if not protocol.repository else "ours: not written there"
    rows = [[name, _cell(shown(protocol, name)), _cell(protocol.source(name) or origin)] for name in FIELDS]
    return markdown_lines([["what", "value", "where it is written"], *rows])


def _texts(protocol: Protocol) -> Iterator[str]:
    if not protocol.texts:
        return
    rows = [[kind, text.sha256, _cell(f"{text.file}: {text.extract}")] for kind, text in protocol.texts.items()]
    yield from markdown_lines([["text", "SHA-256", f"in {protocol.repository}@{protocol.commit[:7]}"], *rows])
    yield ""


def _deviations(protocol: Protocol) -> Iterator[str]:
    if protocol.deviations:
        yield from ["Played otherwise:", "", *(f"- {text}." for text in protocol.deviations), ""]


def _calls(golden: Path) -> Iterator[str]:
    yield "## Calls as real checkpoints write them"
    yield ""
    yield (
        f"What {len(HABITS)} habits do in each dialect, and why. Texts are written in the dialect and parsed by it.\n"
        '"As its own code": the dialect is tested against that code\'s values '
        '(`tests/pixel_env/golden`). "Unlike": on purpose, with the reason.'
    )
    for dialect in DIALECTS.values():
        yield from ["", f"### In `{dialect.name}`", "", "```text", call_in(dialect), "```", ""]
        rows = [
            [one.habit, _cell(one.happens), _cell(one.why)]
            for one in outcomes_of(dialect, _tested(dialect.name, golden))
        ]
        yield from markdown_lines([["the model writes", "what happens", "why"], *rows])


def _tested(name: str, golden: Path) -> set[str]:
    """The kinds of call texts on which a row is compared with the code that it follows."""
    row = PEERS.get(name)
    if row is None or not row.golden:
        return set()
    return {case["kind"] for case in json.loads((golden / row.golden).read_text(encoding="utf-8"))["cases"]}


def _cell(text: str) -> str:
    """The text in a table of Markdown: marks of calls are shown, not read."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").rstrip(".") or "-"


if __name__ == "__main__":
    print(page(GOLDEN), end="")
