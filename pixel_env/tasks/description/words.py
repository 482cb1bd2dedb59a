"""A description of a task set as lines of text, none longer than a terminal is wide by much.

Depends on descriptions; independent of how the figures were gained.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pixel_env.boxes import Size
from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.tasks.description.facts import ClusterFacts, Description, OptionFacts
from pixel_env.tasks.description.media_facts import EvidenceFacts, Lengths, Sizes
from pixel_env.tasks.description.repeats import Repeats
from pixel_env.tasks.description.sampling import Range

_NAMED = 12
"""How many categories, and other values, are named."""
_REASONS = 3
_LONGEST_NAME = 40
_LONGEST_TEXT = 160
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def lines_of(description: Description, dialect: str) -> Iterator[str]:
    """The lines; `dialect`: the name of the one in whose pixels evidence was measured."""
    one = description
    yield f"{plain(one.name, _LONGEST_TEXT)}: {_count(one.tasks, 'task')}{_read(one)}"
    if one.notice:
        yield f"  notice: {plain(one.notice, _LONGEST_TEXT)}"
    yield from _left_out(one)
    if not one.tasks:
        return
    yield f"  media: {_named(one.media)}"
    yield from _image_lines(one)
    yield f"  graded by: {_named(one.graders)}"
    if one.unanswered:
        yield f"  without an answer: {_count(one.unanswered, 'task')}"
    if one.options is not None:
        yield from _option_lines(one.options, one.tasks)
    yield f"  evidence: {_evidence(one.evidence, one.tasks, dialect)}"
    if one.needs_looking:
        needed = f"needed for {one.needs_looking[True]}, not needed for {one.needs_looking[False]}"
        unknown = one.tasks - one.needs_looking.total()
        yield f"  a crop or frames: {needed}{f', unknown for {unknown}' if unknown else ''}"
    if one.clusters is not None:
        yield f"  clusters: {_clusters(one.clusters)}"
    yield from _repeat_lines(one.repeats)
    categories = _named(one.categories) if one.categories else "none"
    yield f"  categories: {categories}"


def harmless(text: str) -> str:
    """`text` with question marks for control signs, signs that turn the direction of text, and halves of characters."""
    return _HARMFUL.sub("?", text.replace("\r\n", "\n"))


def plain(text: str, longest: int) -> str:
    """`text` on one line, without harmful signs, cut at `longest` characters."""
    line = harmless(" ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def letter_of(index: int) -> str:
    """The letter of the option at `index`; its number if there are more options than letters."""
    return OPTION_LETTERS[index] if index < len(OPTION_LETTERS) else str(index + 1)


def _read(one: Description) -> str:
    if one.reading is None:
        return ""
    return f" of the format {one.reading.format_name!r} in {_count(one.reading.rows, 'row')}"


def _left_out(one: Description) -> Iterator[str]:
    if one.reading is None:
        return
    for remark in one.reading.remarks:
        yield f"  note: {plain(remark, _LONGEST_TEXT)}"
    kinds = one.reading.left_out
    if not kinds:
        return
    rows = sum(kind.count for kind in kinds)
    yield f"  left out: {_count(rows, 'row')}; pixel-env data check PATH says why"
    for kind in kinds[:_REASONS]:
        yield f"    {_count(kind.count, 'row')}{_such_as(kind.count)} {plain(kind.first, _LONGEST_TEXT)}"
    if len(kinds) > _REASONS:
        yield f"    {sum(kind.count for kind in kinds[_REASONS:])} for other reasons"


def _such_as(rows: int) -> str:
    return ", such as" if rows > 1 else ":"


def _image_lines(one: Description) -> Iterator[str]:
    if one.images is not None and one.images_per_task is not None:
        yield f"  images: {one.images.total}, {_between(one.images_per_task, str)} a task; {_sizes(one.images)}"
    if one.frames is not None and one.frames_per_task is not None:
        shown = f"{_between(one.frames_per_task, str)} frames a task"
        yield f"  videos: {one.frames.total}, {shown}; their size {_sizes(one.frames)}"
    if one.lengths is not None:
        yield f"  lengths: {_lengths(one.lengths)}"


def _sizes(sizes: Sizes) -> str:
    parts = []
    if (areas := sizes.sizes) is not None:
        parts.append(f"{_between(areas, _size)}{_sampled(sizes.measured, sizes.total)}")
    if sizes.unreadable:
        parts.append(f"{sizes.unreadable} of {sizes.measured} cannot be read: {plain(sizes.reason, _LONGEST_TEXT)}")
    return "; ".join(parts)


def _lengths(lengths: Lengths) -> str:
    parts = []
    if lengths.seconds is not None:
        parts.append(f"{_between(lengths.seconds, '{:.1f}'.format)} s")
    if lengths.frames is not None:
        parts.append(f"{_between(lengths.frames, str)} frames{_sampled(lengths.measured, lengths.total)}")
    if lengths.reason:
        parts.append(f"not all are known: {plain(lengths.reason, _LONGEST_TEXT)}")
    return "; ".join(parts)


def _option_lines(options: OptionFacts, tasks: int) -> Iterator[str]:
    counts = [f"{count} in {_count(number, 'task')}" for count, number in sorted(options.by_count.items())[:_NAMED]]
    without = tasks - options.by_count.total()
    yield f"  options: {', '.join(counts)}{f', none in {without}' if without else ''}"
    known = options.right.total()
    if known:
        balance = ", ".join(f"{letter_of(index)} {count}" for index, count in sorted(options.right.items()))
        index, most = max(options.right.items(), key=lambda pair: (pair[1], -pair[0]))
        yield f"  right option: {balance}; always {letter_of(index)} would be right in {most / known:.0%}"
    if options.unknown:
        yield f"  right option unknown: {_count(options.unknown, 'task')}"


def _evidence(evidence: EvidenceFacts | None, tasks: int, dialect: str) -> str:
    if evidence is None:
        return "none"
    parts = [f"{evidence.tasks} of {_count(tasks, 'task')}, {evidence.boxes} box{'' if evidence.boxes == 1 else 'es'}"]
    if evidence.area is not None:
        parts.append(f"area {_between(evidence.area, '{:.2%}'.format)} of the image")
    if evidence.shown_side is not None:
        parts.append(
            f"shorter side as {plain(dialect, _LONGEST_NAME)} shows it: "
            f"{_between(evidence.shown_side, '{:.0f}'.format)} px, "
            f"below {evidence.token_side} px (a token) in {evidence.below_token} of {evidence.measured}"
        )
    if evidence.misplaced:
        parts.append(f"{evidence.misplaced} on an image that the task does not have")
    return "; ".join(parts)


def _clusters(facts: ClusterFacts) -> str:
    variants = "".join(f"; {_count(count, 'question')} as {kind}s" for kind, count in sorted(facts.variants.items()))
    return f"{facts.clusters}, which {_count(facts.tasks, 'task')} share{variants}"


def _repeat_lines(repeats: Repeats) -> Iterator[str]:
    images = f"{_count(repeats.images, 'image')} in several tasks{_of_tasks(repeats.image_tasks)}"
    if repeats.compared < repeats.comparable:
        images += f", the first {repeats.compared} of {repeats.comparable} compared by content, the others by name"
    questions = (
        f"{_count(repeats.questions, 'question')} about the same images again{_of_tasks(repeats.question_tasks)}"
    )
    yield f"  repeated: {images}; {questions}; {_count(repeats.ids, 'id')}"
    if repeats.contradictions:
        first, second = (plain(name, _LONGEST_NAME) for name in repeats.contradictions[0])
        yield (
            f"  contradictions: {len(repeats.contradictions)} of these questions have different answers, "
            f"such as {first} and {second}"
        )


def _of_tasks(number: int) -> str:
    return f" ({_count(number, 'task')})" if number else ""


def _between(values: Range[Any], written: Callable[[Any], str]) -> str:
    """The range as "1 to 5 (median 2)", or the one value that there is."""
    smallest, median, largest = written(values.smallest), written(values.median), written(values.largest)
    return median if smallest == largest else f"{smallest} to {largest} (median {median})"


def _size(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _sampled(measured: int, total: int) -> str:
    return "" if measured == total else f" (of {measured} spread over the set)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _named(counts: Mapping[str, int]) -> str:
    """The most frequent values with their numbers, and how many others there are."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{plain(value, _LONGEST_NAME)} {count}" for value, count in ordered[:_NAMED])
    others = len(ordered) - _NAMED
    return named if others <= 0 else f"{named}, and {_count(others, 'other')}"
