"""The HTML page of an audit: its tables, and the worst crops drawn on their sources.

The page contains its style and its images, runs no script and makes no requests. Depends on tables and images;
independent of layout and style, which are in `page.html`.
"""

from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from agents.run_folder.configuration import write_whole
from benchmarks.audit.figures import Audit
from benchmarks.audit.regions import CropRegions
from benchmarks.audit.tables import crop_line, example_lines, printable, sections
from pixel_env.boxes import Box
from pixel_env.media.cache import CACHE
from pixel_env.media.encoding import data_uri, encoded

SOURCE_SIDE = 768
"""The longer side of a source on the page, in pixels."""


def write_page(path: Path, audit: Audit, worst: Sequence[CropRegions]) -> None:
    """Writes the page; `worst`: the crops to draw. Raises MediaError if an image cannot be read."""
    notices = [audit.episodes.evaluation.task_set.notice, *audit.episodes.remarks]
    if audit.faults:
        notices.append(f"{len(audit.faults)} rows or episodes are not audited, the first: {audit.faults[0]}")
    template = Template((resources.files("benchmarks.audit") / "page.html").read_text(encoding="utf-8"))
    text = template.substitute(
        title=escape(f"Audit of {audit.episodes.name}"),
        lead=escape(f"{audit.audited} episodes, dialect {audit.episodes.dialect.name}, asked in: {audit.asked}"),
        notices="".join(f"<p class='notice'>{escape(notice)}</p>" for notice in notices if notice),
        tables="".join(f"<h2>{escape(title)}</h2>{_table(rows)}" for title, rows in sections(audit)),
        examples="".join(f"<li>{escape(line)}</li>" for line in example_lines(audit)),
        crops="".join(map(_figure, worst)) or "<p>None.</p>",
    )
    write_whole(path, printable(text))


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body]
    return f"<div class='scroll'><table>{''.join(lines)}</table></div>"


def _figure(crop: CropRegions) -> str:
    """The source with the region asked for, the one delivered and the evidence on it."""
    image = CACHE.get(crop.source).copy()
    image.thumbnail((SOURCE_SIDE, SOURCE_SIDE), reducing_gap=2.0)
    boxes = [(name, box) for name, box in (("asked", crop.asked), ("delivered", crop.delivered)) if box is not None]
    boxes += [("evidence", box) for box in crop.evidence]
    drawn = "".join(_rectangle(name, box) for name, box in boxes)
    caption = escape(crop_line(crop))
    return (
        f"<figure><div class='source'><img src='{data_uri(encoded(image, 'jpeg', quality=82), 'jpeg')}' "
        f"width='{image.width}' height='{image.height}' alt='{caption}'>"
        f"<svg viewBox='0 0 100 100' preserveAspectRatio='none' aria-hidden='true'>{drawn}</svg></div>"
        f"<figcaption>{escape(crop.record.trajectory.task.question)}<br>{caption}</figcaption></figure>"
    )


def _rectangle(name: str, box: Box) -> str:
    x, y, width, height = (100 * side for side in (box.x0, box.y0, box.width, box.height))
    shape = f"x='{x:.2f}' y='{y:.2f}' width='{width:.2f}' height='{height:.2f}'"
    return f"<rect class='{name} under' {shape}/><rect class='{name}' {shape}><title>{name}</title></rect>"
