"""`pixel-env protocol`: the table of protocols, and one of them with where each value is written.

Parses arguments and prints. Depends on protocols; independent of evaluations and models.
"""

from collections.abc import Iterator, Sequence

import yaml

from benchmarks.protocols.fields import FIELDS, shown
from benchmarks.protocols.files import protocol_to_row
from benchmarks.protocols.protocol import Protocol
from benchmarks.protocols.table import PROTOCOLS, protocol_named
from benchmarks.text_tables import table
from pixel_env.command_line.parser import CommandParser


def main(argv: Sequence[str]) -> int:
    """Runs the subcommand, `list` without one. Returns the exit code."""
    options = _parser().parse_args(argv)
    if options.command != "show":
        print(_list())
        return 0
    protocol = protocol_named(options.name)
    print(_yaml(protocol) if options.yaml else "\n".join(_shown(protocol)))
    return 0


def _parser() -> CommandParser:
    text = "List the evaluation protocols, or show one with where each value is written."
    parser = CommandParser("protocol", usage="[list|show ...]", description=text)
    commands = parser.add_subparsers(dest="command", prog=parser.prog, metavar="SUBCOMMAND")
    text = "print the protocols, one line each"
    commands.add_parser("list", help=text, description=text, usage="[--help]")
    text = "print all values of a protocol with their sources, and what was published"
    showing = commands.add_parser("show", help=text, description=text, usage="NAME [--yaml]")
    showing.add_argument("name", metavar="NAME", help="a name of the list, module:NAME, or file.yaml")
    showing.add_argument("--yaml", action="store_true", help="print it as a whole YAML file, for --protocol FILE")
    return parser


def _list() -> str:
    head = ["protocol", "what", "turns", "images", "temperature", "k"]
    rows = [
        [
            protocol.name,
            protocol.about,
            str(protocol.limits.max_turns),
            str(protocol.limits.max_images),
            f"{protocol.temperature:g}",
            str(protocol.samples),
        ]
        for protocol in PROTOCOLS.values()
    ]
    return table([head, *rows], text_columns=2) + "\n\nOne of them with its sources: pixel-env protocol show NAME"


def _yaml(protocol: Protocol) -> str:
    row = {key: value for key, value in protocol_to_row(protocol).items() if key != "name"}
    return yaml.safe_dump(row, sort_keys=False, allow_unicode=True, width=100).rstrip()


def _shown(protocol: Protocol) -> Iterator[str]:
    yield f"{protocol.name}: {protocol.about}"
    rows = [[name, shown(protocol, name), protocol.source(name) or "ours"] for name in FIELDS]
    yield table([["field", "value", "where it is written"], *rows], text_columns=3)
    for kind, text in protocol.texts.items():
        yield f"{kind} text: sha256 {text.sha256}, {text.extract}, in {text.file}"
    for one in protocol.published:
        who = ", a re-run by others" if one.is_rerun else ""
        k = "" if one.k is None else f" avg@{one.k}"
        place = " ".join(filter(None, (one.checkpoint, one.where)))
        yield f"published: {one.benchmark} {one.value:g}{k}{who} ({place})"
    if protocol.unpublished:
        yield f"published: {protocol.unpublished}"
    for deviation in protocol.deviations:
        yield f"played otherwise: {deviation}"
