"""The file format for a user's own tasks: one JSON object per line.

Required: `question` (text), `answer` (text, or a list of texts that all count), and one of `image` (a path, an image in
base64 as a data URL, or a list of these), `frames` (the list of a video's frames, in order) and `video` (the path of a
video, of which 16 frames at even distances are shown), or none for a question without images. Optional: `id` (default:
file name and line), `grader` ("exact", "choice", "number", "anls", or your own as "module:function"; default: "choice"
with options, else "exact"), `options` (list of texts; the answer of a "choice" is one of them, or its letter),
`evidence` (list of {"image": number from 0, "box": [x0, y0, x1, y1] in fractions}), `category` (text), `needs_looking`
(true if the answer needs a crop or a selection of frames, false if not), `frames_per_second` (the rate of `frames`, for
operations that name times), `start_s` and `end_s` (the segment of `video`, in seconds),
`cluster` (text: rows with the same one share an image or a question), `variant` ({"kind": "rotation" or "view",
"question_id": text, "name": text}: the row asks a question of other rows in another form, see
`pixel_env.task.Variant`).

    {"question": "Which digit?", "image": "photos/one.png", "answer": "7"}
    {"question": "What colour is the card?", "image": "photos/one.png", "options": ["red", "blue"], "answer": "red",
     "evidence": [{"image": 0, "box": [0.1, 0.1, 0.2, 0.2]}]}      (wrapped here for reading: a row is one line)

Paths are relative to the file's folder and may not leave it. Every row is checked, and all bad rows are reported
together, each with file and line.
"""

from collections.abc import Mapping
from typing import Any

from pixel_env.boxes import Box, read_box
from pixel_env.errors import PixelEnvError, TaskError
from pixel_env.grading import GRADERS, grader_named
from pixel_env.task import GIVEN_CROP, WHOLE_IMAGE, Evidence, MediaKind, Task, Variant
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, check_writable, is_finite, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.views import Source

_KEYS = frozenset(
    {
        "id",
        "question",
        "answer",
        "image",
        "frames",
        "frames_per_second",
        "video",
        "start_s",
        "end_s",
        "grader",
        "options",
        "evidence",
        "category",
        "needs_looking",
        "cluster",
        "variant",
    }
)

_SHOWN = 8


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".jsonl" and {"question", "answer"} <= columns <= _KEYS


def _task_of(entry: Row, images: ImageFolder) -> Task:
    row = entry.values
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        names = ", ".join(unknown[:_SHOWN]) + (f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else "")
        raise TaskError(
            f"unknown key(s) {names}; the known keys are {', '.join(sorted(_KEYS))}; a file that others wrote is read "
            f"by its usual columns as table:{entry.file.name}"
        )
    media, sources = _sources(row, images)
    options = _texts(row, "options", required=False)
    task = Task(
        task_id=_text(row, "id", f"{entry.file.stem}:{entry.number}"),
        question=_text(row, "question", None),
        answers=_texts(row, "answer", required=True),
        sources=sources,
        media=media,
        grader=_grader(row, options),
        options=options,
        evidence=_evidence(row, len(sources)),
        category=_text(row, "category", ""),
        needs_looking=_needs_looking(row),
        frames_per_second=_frames_per_second(row),
        cluster=_text(row, "cluster", ""),
        variant=_variant(row),
    )
    _check_choice(task)
    return task


def _text(row: Mapping[str, Any], key: str, default: str | None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise TaskError(
            f"{key!r} must be a text{' that is not empty' if default is None else ''}, got {shortened(value)}"
        )
    check_writable(key, value)
    return value


def _texts(row: Mapping[str, Any], key: str, *, required: bool) -> tuple[str, ...]:
    value = row.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise TaskError(f"{key!r} must be a text or a list of texts, none empty, got {shortened(value)}")
    if required and not texts:
        raise TaskError(f"{key!r} is missing; give a text or a list of texts")
    for text in texts:
        check_writable(key, text)
    return tuple(texts)


def _sources(row: Mapping[str, Any], images: ImageFolder) -> tuple[MediaKind, tuple[Source, ...]]:
    given = [key for key in ("image", "frames", "video") if key in row]
    if len(given) > 1:
        raise TaskError(f"give either {given[0]!r} or {given[1]!r}, not both")
    if "video" not in row and ("start_s" in row or "end_s" in row):
        raise TaskError("'start_s' and 'end_s' are the segment of 'video', and the row has none")
    match given:
        case ["video"]:
            return "video", images.clip(_text(row, "video", None), *_segment(row))
        case ["frames"]:
            if not isinstance(row["frames"], list) or not row["frames"]:
                raise TaskError("'frames' must be a list of paths")
            return "video", images.sources(row["frames"], "frames")
        case ["image"]:
            sources = images.sources(row["image"])
            if not sources:
                raise TaskError("'image' must be a path or a list of paths, and is empty; leave it out")
            return "image", sources
        case _:
            return "text", ()


def _segment(row: Mapping[str, Any]) -> tuple[float, float] | tuple[()]:
    """The bounds of the part of a video that is shown, if they are given."""
    if "start_s" not in row and "end_s" not in row:
        return ()
    start_s, end_s = row.get("start_s"), row.get("end_s")
    if start_s is None or end_s is None or not is_finite(start_s) or not is_finite(end_s) or not 0 <= start_s < end_s:
        raise TaskError(
            f"'start_s' and 'end_s' must both be seconds, the start before the end, got {shortened((start_s, end_s))}"
        )
    return float(start_s), float(end_s)


def _grader(row: Mapping[str, Any], options: tuple[str, ...]) -> str:
    grader = _text(row, "grader", "choice" if options else "exact")
    try:
        grader_named(grader)
    except PixelEnvError as error:
        raise TaskError(str(error)) from error
    return grader


def _check_choice(task: Task) -> None:
    if task.grader != "choice":
        return
    if len(task.options) < 2:
        raise TaskError("the grader 'choice' needs 'options', a list of at least two texts")
    for answer in task.answers:
        if GRADERS["choice"](answer, task) == 0.0:
            raise TaskError(f"the answer {shortened(answer)} is neither one of the options nor the letter of one")


def _evidence(row: Mapping[str, Any], image_count: int) -> tuple[Evidence, ...]:
    value = row.get("evidence", [])
    if not isinstance(value, list):
        raise TaskError(f"'evidence' must be a list of objects, got {shortened(value)}")
    return tuple(_one_evidence(item, image_count) for item in value)


def _one_evidence(item: object, image_count: int) -> Evidence:
    if not isinstance(item, dict) or set(item) != {"image", "box"}:
        raise TaskError(f'an evidence is {{"image": number from 0, "box": [x0, y0, x1, y1]}}, got {shortened(item)}')
    image, corners = item["image"], item["box"]
    if not isinstance(image, int) or isinstance(image, bool) or not 0 <= image < image_count:
        raise TaskError(
            f"the evidence's image {shortened(image)} does not exist; the row has {image_count}, counted from 0"
        )
    if not isinstance(corners, list) or not all(map(is_finite, corners)):
        raise TaskError(f"the evidence's box {shortened(corners)} must be a list of 4 fractions")
    box = read_box([float(corner) for corner in corners])
    if not isinstance(box, Box):
        raise TaskError(
            f"the evidence's box {shortened(corners)} cannot be used: {box.message} Boxes are fractions from 0 to 1."
        )
    return Evidence(image, box)


def _needs_looking(row: Mapping[str, Any]) -> bool | None:
    value = row.get("needs_looking")
    if value is not None and not isinstance(value, bool):
        raise TaskError(f"'needs_looking' must be true or false, got {shortened(value)}")
    return value


def _variant(row: Mapping[str, Any]) -> Variant | None:
    value = row.get("variant")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"kind", "question_id", "name"}:
        raise TaskError(f'a variant is {{"kind": ..., "question_id": ..., "name": ...}}, got {shortened(value)}')
    question_id, name = _text(value, "question_id", None), _text(value, "name", None)
    match value["kind"]:
        case "rotation":
            return Variant("rotation", question_id, name)
        case "view" if name in (WHOLE_IMAGE, GIVEN_CROP):
            return Variant("view", question_id, name)
        case "view":
            raise TaskError(f"a view is named {WHOLE_IMAGE!r} or {GIVEN_CROP!r}, got {shortened(name)}")
        case kind:
            raise TaskError(f"the kind of a variant is 'rotation' or 'view', got {shortened(kind)}")


def _frames_per_second(row: Mapping[str, Any]) -> float | None:
    value = row.get("frames_per_second")
    if value is None:
        return None
    if "frames" not in row:
        raise TaskError("'frames_per_second' is the rate of 'frames', and the row has none")
    if not is_finite(value) or value <= 0:
        raise TaskError(f"'frames_per_second' must be a number above 0, got {shortened(value)}")
    return float(value)


OWN = Format(
    name="tasks",
    about="your own tasks: one JSON object per line",
    source="docs/tasks.md",
    is_verified=True,
    columns=_KEYS,
    recognises=_recognises,
    task_of=_task_of,
    is_lenient=False,
    documented_in="docs/tasks.md",
)
