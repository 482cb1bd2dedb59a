"""The pages of the documentation, taken apart: fenced blocks, commands, code spans, links, headings and tables.

Depends on Markdown's syntax as our pages use it; independent of what the pages are about.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.paths import DOCS, ROOT

_FENCE = re.compile(r"(?ms)^(?P<before>[^\n]*)\n\n?```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^```$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `before` is the line of prose above it, and `output` the ```text block right below it."""

    language: str
    text: str
    before: str
    output: str | None

    @property
    def file(self) -> str | None:
        """The file that the block is, if its prose ends in "`name.py`:" or its first line is "# name.py"."""
        named = re.search(r"`([\w./-]+\.\w+)`:$", self.before) or re.match(r"# ([\w./-]+\.\w+)\n", self.text)
        return named[1] if named else None


@dataclass(frozen=True)
class Page:
    """A Markdown file of the checkout."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return re.sub(r"(?ms)^```.*?^```$", "", self.text)

    @property
    def blocks(self) -> list[Block]:
        text, found = f"\n{self.text}", []
        for match in _FENCE.finditer(text):
            output = re.match(r"\n*```text\n(.*?)^```$", text[match.end() :], re.DOTALL | re.MULTILINE)
            found.append(Block(match["language"], match["text"], match["before"], output[1] if output else None))
        return found

    def blocks_in(self, *languages: str) -> list[Block]:
        return [block for block in self.blocks if block.language in languages]

    @property
    def code_spans(self) -> list[str]:
        return re.findall(r"`([^`\n]+)`", self.prose)

    @property
    def links(self) -> list[str]:
        """The targets of links and images, those of HTML tags included."""
        return [*re.findall(r"\]\(([^)\s]+)", self.prose), *re.findall(r'(?:src|href|srcset)="([^"]+)"', self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What `#...` may lead to, as GitHub makes it from headings."""
        headings = re.findall(r"(?m)^#+ (.+)$", self.prose)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

    @property
    def tables(self) -> list[dict[str, list[str]]]:
        """Of each table, the other cells of a row by its first cell; header left out, code marks stripped."""
        texts = re.findall(r"(?m)(?:^\|.*\n)+", self.prose + "\n")
        rows = [[_cells(line) for line in text.splitlines()[2:]] for text in texts]
        return [{cells[0]: cells[1:] for cells in table} for table in rows]


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


PAGES = [
    Page(path)
    for path in [
        *sorted(ROOT.glob("*.md")),
        *sorted(DOCS.rglob("*.md")),
        *sorted((ROOT / "examples").rglob("*.md")),
        *sorted((ROOT / "tests").rglob("*.md")),
    ]
]
README = Page(ROOT / "README.md")


def command_lines(page: Page) -> Iterator[str]:
    """What follows `pixel-env` in the shell blocks and in the code spans of a page, one command each."""
    for block in page.blocks_in("sh", "bash", "console", "shell"):
        for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
            for part in re.split(r"&&|\|\||;|\|", re.sub(r"(^|\s)#.*$", "", line)):
                yield from _commands_in(part)
    for span in page.code_spans:
        yield from _commands_in(span)


def _commands_in(text: str) -> list[str]:
    found = re.search(r"(?:^|\s)(?:pixel-env|-m pixel_env(?:\.cli)?)\s+([a-z].*)", text.strip())
    return [found[1].strip()] if found else []
