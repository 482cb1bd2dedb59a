r"""The authors' parquet: TIGER-Lab/PixelReasoner-RL-Data and the JasperHaozhe/*-EvalData-PixelReasoner sets.

One schema: `question` (may begin with `<image>`; contains the options, lettered), `answer` (or `gt_answer`: a text or a
list, usually boxed), `image` (a path or a list of paths, relative to the file), `is_video` (true: the list is a video's
frames; null or absent counts as false, for several images of MVBench as true; anything else is a bad row), `qid`
("BENCHMARK-number"), and `responses`, which is not used. JSON and JSON lines with these columns are read as well.

Options are removed from the question; the dialect writes them again in its own wording. Graders: choice for a question
with options, ANLS for a set with "info" in its name (InfographicsVQA; not the training data), number for numbers, exact
for the rest. A video of more than 16 frames is shown by 16 evenly spaced ones.

Paths are looked up in the folder of the file, and in `images` and `videos`, into which verl-tool unpacks the archives.

Source: prepare.sh, prompts_dataset.py and experience_maker.py of TIGER-AI-Lab/Pixel-Reasoner and
examples/data_preprocess/pixel_reasoner of TIGER-AI-Lab/verl-tool, which name the columns; the sets' own cards were not
available, so file names and details are unverified.
"""

import numpy as np

from pixel_env.errors import TaskError
from pixel_env.task import MediaKind, Task
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES, evenly
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import (
    accepted_answers,
    are_numbers,
    is_among,
    reference_answers,
    without_options,
    without_placeholders,
)
from pixel_env.views import Source

_OWN = frozenset({"qid", "is_video", "gt_answer", "responses"})
_TRAINING_FILE = "release"


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    if not {"question", "image"} <= columns or not columns & {"answer", "gt_answer"} or suffix == ".tsv":
        return False
    # Without a column that only these sets have, any set could be meant; TallyQA has the column issimple.
    return bool(columns & _OWN) and not columns & {"issimple", "candidates"}


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("question"))
    answers = reference_answers(row.texts("answer", "gt_answer"))
    if not question or not answers:
        raise TaskError("its question or its answer is empty")
    name = str(row.optional("qid") or f"{row.file.stem}:{row.number}")
    benchmark = name.partition("-")[0] if "-" in name else ""
    stem, options = without_options(question)
    if not options or not all(is_among(answer, options) for answer in answers):
        stem, options = question, ()
    grader = "choice" if options else _grader(answers, row.file.stem, benchmark)
    media, sources = _sources(row, images)
    return Task(
        task_id=name,
        question=stem,
        answers=accepted_answers(answers, grader),
        sources=sources,
        media=media,
        grader=grader,
        options=options,
        category=benchmark,
    )


def _grader(answers: tuple[str, ...], file_name: str, benchmark: str) -> str:
    if "info" in f"{file_name} {benchmark}".lower() and not file_name.startswith(_TRAINING_FILE):
        return "anls"
    return "number" if are_numbers(answers) else "exact"


def _sources(row: Row, images: ImageFolder) -> tuple[MediaKind, tuple[Source, ...]]:
    given = row.optional("image")
    cells = [cell for cell in (given if isinstance(given, list) else [given]) if cell]
    if not _is_video(row, len(cells)):
        return ("image" if cells else "text"), images.sources(cells)
    if not cells:
        raise TaskError("it is a video without frames")
    if len(cells) == 1 and isinstance(cells[0], str) and cells[0].lower().endswith(VIDEO_SUFFIXES):
        return "video", images.clip(cells[0])
    return "video", images.sources(evenly(cells))


def _is_video(row: Row, image_count: int) -> bool:
    is_video = row.optional("is_video")
    if is_video is None:
        return image_count > 1 and "mvbench" in f"{row.file.stem} {row.optional('qid')}".lower()
    if not isinstance(
        is_video, bool | np.bool_
    ):  # the text "True", read as false, would show a video as separate images
        raise TaskError(f"'is_video' must be true or false, got {shortened(is_video)}; write true, false or null")
    return bool(is_video)


RELEASED = Format(
    name="pixelreasoner",
    about="the authors' training and evaluation sets (parquet)",
    source="loaders of TIGER-AI-Lab/Pixel-Reasoner and TIGER-AI-Lab/verl-tool",
    is_verified=False,
    columns=frozenset({"question", "answer", "image"}) | _OWN,
    recognises=_recognises,
    task_of=_task_of,
    below=("images", "videos"),
    documented_in="docs/tasks.md",
)
