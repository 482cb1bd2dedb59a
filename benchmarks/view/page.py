"""The HTML page that shows the trajectories of one evaluation or training, or of two side by side.

The page contains its style, script and data and makes no network requests. It also contains its images, up to
`EMBEDDED_IMAGES`; those of a larger run are in a folder next to the page, and the browser loads the visible ones.
Depends on the rows and images (`rows.py`, `images.py`); independent of layout, style and behaviour, which are in
`page.html`, `page.css` and the scripts.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from tqdm import tqdm

from agents.run_folder.configuration import read_configuration, write_whole
from agents.run_log.rollouts import ROLLOUTS
from benchmarks.evaluation.recorded import NOTHING_OUTSIDE, Outside
from benchmarks.evaluation.records import ROWS, read_evaluation
from benchmarks.evaluation.tables import failure_notice
from benchmarks.evaluation.unread import unread_notice
from benchmarks.view.images import ImageList, Size, Unreadable
from benchmarks.view.rows import Rows, Run
from benchmarks.view.training import read_training_run
from pixel_env.errors import ConfigError
from rewards.parts import GroupReward

PAGE = "view.html"
_SUFFIXES = (".html", ".htm")
EMBEDDED_IMAGES = 1000
"""A page with more images than this stores them in a folder next to it."""
_SCRIPTS = ("page.js", "parts.js", "rewards.js", "detail.js", "list.js")
"""In the order in which the page runs them."""


def read_run(folder: Path, *, limit: int | None = None, outside: Outside = NOTHING_OUTSIDE) -> Run:
    """The evaluation in `folder`, or the rollouts that a training kept there, or the first `limit` questions of it.

    `outside`: where pictures may lie besides the folder of the task set. Raises ConfigError if there is none.
    """
    if not (folder / ROWS).exists():
        if (folder / ROLLOUTS).exists():
            return read_training_run(folder, limit=limit, outside=outside)
        below = sorted(str(rows.parent) for name in (ROWS, ROLLOUTS) for rows in folder.glob(f"*/{name}"))
        hint = f"Runs below it: {', '.join(below)}." if below else "Make one: pixel-env eval --output_dir ..."
        raise ConfigError(f"{folder} holds no evaluation and no rollouts (no {ROWS}, no {ROLLOUTS}). {hint}")
    evaluation = read_evaluation(folder, outside)
    kept = set(list(dict.fromkeys(record.trajectory.task.task_id for record in evaluation.records))[:limit])
    records = [record for record in evaluation.records if record.trajectory.task.task_id in kept]
    facts = read_configuration(folder)
    notices = (
        evaluation.task_set.notice,
        failure_notice(replace(evaluation, records=records)),
        unread_notice(records, evaluation.budgets, facts["dialect"]),
    )
    return Run(str(folder), records, evaluation.budgets, " ".join(filter(None, notices)), facts)


def check_page(path: Path) -> None:
    """Raises ConfigError unless `path` ends in .html or .htm, so that images or rows are not overwritten."""
    if path.suffix.lower() not in _SUFFIXES or path.is_dir():
        got = "a folder" if path.is_dir() else f"{path.name!r}"
        raise ConfigError(f"the page cannot be written to {path} ({got}). Give an --output that ends in .html or .htm.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the page cannot be written to {path}: {error.strerror}. Give another --output.") from error


def write_page(path: Path, runs: Sequence[Run], group_reward: GroupReward) -> list[str]:
    """Writes the page about one run, or two side by side; returns the reasons for missing images.

    Raises ConfigError as `check_page` does.
    """
    check_page(path)
    images = ImageList()
    rows = Rows(images, group_reward).of(runs)
    folder = path.with_name(f"{path.stem}_pictures") if len(images) > EMBEDDED_IMAGES else None
    embedded: dict[str, str] = {}

    def keep(name: str, jpeg: bytes) -> None:
        if folder is None:
            embedded[name] = base64.b64encode(jpeg).decode()
        else:
            _write_image(folder / f"{name}.jpg", jpeg)

    if folder is not None:
        _make_folder(folder)
    made = dict(tqdm(images.make(keep), total=len(images), desc="images", unit="image", mininterval=0.5))
    sizes = {name: [size.width, size.height] for name, size in made.items() if isinstance(size, Size)}
    reasons = {name: size.reason for name, size in made.items() if isinstance(size, Unreadable)}
    folder_name = None if folder is None else folder.name
    data = {**rows, "pictures": {"folder": folder_name, "sizes": sizes, "unreadable": reasons}}
    write_whole(
        path, page(" and ".join(run.name for run in runs), data, dict(sorted(embedded.items())))
    )  # threads finish in any order
    return list(reasons.values())


def _make_folder(folder: Path) -> None:
    """Raises ConfigError for a link: the folder of a run may be a stranger's, and a link may lead anywhere."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigError(f"the images cannot be written to {folder}: it is a link, or no folder. Remove it.")
    folder.mkdir(exist_ok=True)


def _write_image(path: Path, jpeg: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with partial.open("xb") as file:  # through no link
        file.write(jpeg)
    partial.replace(path)


def page(title: str, data: Mapping[str, object], embedded: Mapping[str, str]) -> str:
    """The whole page. `embedded`: images by name, as base64."""
    script = "\n".join(_file(name) for name in _SCRIPTS)
    return Template(_file("page.html")).substitute(
        title=escape(title),
        policy=escape(_security_policy(script)),
        style=_file("page.css"),
        data=_inert(data),
        pictures=_inert(embedded),
        script=script,
    )


def _security_policy(script: str) -> str:
    """Content security policy: the browser may run only this script and show images, whatever the data contain."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src 'self' data: file:"


def _inert(value: object) -> str:
    """`value` as JSON that may stand in a script element: no text in it can end the element or open a comment."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _file(name: str) -> str:
    return (resources.files("benchmarks.view") / name).read_text(encoding="utf-8")
