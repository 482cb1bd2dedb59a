"""A contact sheet: one HTML file with sixteen tasks of a set, spread evenly over it, and what the set holds.

Every text of a task is escaped, and the page may load nothing. Depends on tasks, Pillow and descriptions; independent
of how the figures were gained.
"""

import html
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from PIL import Image

from pixel_env.errors import ConfigError, MediaError, MissingExtraError
from pixel_env.media.cache import CACHE
from pixel_env.media.encoding import data_uri, encoded
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.description.sampling import positions, spread_over
from pixel_env.tasks.description.task_facts import right_options
from pixel_env.tasks.description.words import harmless, letter_of, plain

ROWS = 16
_IMAGES = 4
"""How many images of a task are shown."""
_SIDE = 640
"""The longer side of a task's only image in pixels; several are half as long."""
_LONGEST = 1_000
_LONGEST_REASON = 200


def check_page(path: Path) -> None:
    """Raises ConfigError for a file that cannot become the page."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"the page {path} would overwrite a file that is no page. Give a name that ends in .html.")
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigError(f"the page {path} cannot be written: there is no folder {path.parent}, or it is a folder.")


def write_sheet(task_set: TaskSet, lines: Sequence[str], path: Path) -> None:
    """Writes the page; `lines`: what the set holds. Raises ConfigError if the file cannot be written."""
    text = sheet(task_set, lines)
    try:
        path.write_text(text, encoding="utf-8", errors="replace")  # half of a character, which UTF-8 cannot encode
    except OSError as error:
        raise ConfigError(f"the page {path} cannot be written: {error.strerror}. Give another file.") from error


def sheet(task_set: TaskSet, lines: Sequence[str]) -> str:
    """The page as text."""
    chosen = positions(len(task_set.tasks), ROWS)
    cards = "\n".join(_card(task_set.tasks[position], position, len(task_set.tasks)) for position in chosen)
    page = resources.files(__package__).joinpath("sheet.html").read_text(encoding="utf-8")
    values = {
        "{{title}}": _escaped(plain(task_set.name, _LONGEST_REASON)),
        "{{lines}}": "\n".join(map(_fact, lines)),
        "{{cards}}": cards,
    }
    head, *parts = page.split("{{")
    # Filled part by part, so that a text with the name of a field is not filled in turn.
    for part in parts:
        name, _, rest = part.partition("}}")
        head += values[f"{{{{{name}}}}}"] + rest
    return head


def _fact(line: str) -> str:
    """A line of the description as an item of a list, what it is about in bold."""
    name, colon, text = line.strip().partition(": ")
    return f"<li><b>{_escaped(name + colon)}</b>{_escaped(text)}</li>"


def _card(task: Task, position: int, count: int) -> str:
    facts = [("id", task.task_id), ("grader", task.grader), ("category", task.category), ("media", task.media)]
    if task.needs_looking is not None:
        facts.append(("needs a crop", "yes" if task.needs_looking else "no"))
    terms = "".join(f"<dt>{name}</dt><dd>{_cut(value)}</dd>" for name, value in facts if value)
    return (
        f"<article><p class=soft>{position + 1} of {count}</p>\n{''.join(_figures(task))}"
        f"<h2 dir=auto>{_cut(task.question)}</h2>{_options(task)}{_answers(task)}<dl>{terms}</dl></article>"
    )


def _options(task: Task) -> str:
    right = right_options(task)
    items = "".join(
        f"<li{' class=right' if index in right else ''}><b>{letter_of(index)}</b> <bdi>{_cut(text)}</bdi></li>"
        for index, text in enumerate(task.options)
    )
    return f"<ul>{items}</ul>" if items else ""


def _answers(task: Task) -> str:
    if not task.answers:
        return "<p class=soft>no answer is known</p>"
    shown = " <i>or</i> ".join(f"<b dir=auto>{_cut(answer)}</b>" for answer in task.answers[:8])
    more = len(task.answers) - 8
    return f"<p>answer: {shown}{f' and {more} more' if more > 0 else ''}</p>"


def _figures(task: Task) -> Iterator[str]:
    marked = [evidence.image for evidence in task.evidence if 0 <= evidence.image < len(task.sources)]
    numbers = spread_over(range(len(task.sources)), _IMAGES)
    # Frames with evidence are shown first of all: they are why the others are.
    numbers = sorted(list(dict.fromkeys([*marked[:_IMAGES], *numbers]))[:_IMAGES]) if marked else numbers
    if numbers:
        kind = "single" if len(numbers) == 1 else "several"
        yield f"<div class={kind}>{''.join(_figure(task, number, len(numbers)) for number in numbers)}</div>\n"


def _figure(task: Task, number: int, shown: int) -> str:
    try:
        image = CACHE.get(task.sources[number])
    except (MediaError, MissingExtraError) as error:
        return f"<figure class=missing>{_escaped(plain(str(error), _LONGEST_REASON))}</figure>"
    boxes = "".join(_box(evidence.box.corners) for evidence in task.evidence if evidence.image == number)
    width, height = image.size
    name = "" if len(task.sources) == 1 else f"{'frame' if task.media == 'video' else 'image'} {number + 1}, "
    return (
        f'<figure><div class=marked><img alt="" src="{_thumbnail(image, _SIDE if shown == 1 else _SIDE // 2)}">{boxes}'
        f"</div><figcaption>{name}{width}x{height}</figcaption></figure>"
    )


def _box(corners: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = (100 * edge for edge in corners)
    return f'<i style="left:{left:.3f}%;top:{top:.3f}%;width:{right - left:.3f}%;height:{bottom - top:.3f}%"></i>'


def _thumbnail(image: Image.Image, side: int) -> str:
    small = image.copy()
    small.thumbnail((side, side), reducing_gap=2.0)
    return data_uri(encoded(small, "jpeg", quality=80), "jpeg")


def _cut(text: str) -> str:
    """`text`, escaped, and cut if it is very long."""
    more = len(text) - _LONGEST
    return _escaped(text) if more <= 0 else f"{_escaped(text[:_LONGEST])} <i class=soft>... and {more} characters</i>"


def _escaped(text: str) -> str:
    """`text` for HTML, without harmful signs."""
    return html.escape(harmless(text))
