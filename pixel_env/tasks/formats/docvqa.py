"""DocVQA: the JSON of its download ({..., data: [row, ...]}), or the hub's parquet with the images inside.

A row has `questionId`, `question`, `answers` (all of them count, by ANLS), `image` ("documents/xnbl0037_1.png", in the
download's folder `spdocvqa_images`; or the image itself), `question_types` (the category), `docId`, `ucsf_document_id`
and `ucsf_document_page_no`. Questions about the same page are a cluster. The test split is published without answers,
so split "test" of a folder is that of validation.

Source: public loaders of val_v1.0_withQT.json and of lmms-lab/DocVQA, which name these columns; the download itself
needs a registration and was not available: unverified.
"""

import os

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format
from pixel_env.views import Source

_COLUMNS = frozenset(
    {"questionId", "question", "answers", "image", "question_types", "docId", "ucsf_document_id"}
    | {"ucsf_document_page_no", "data_split"}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return {"questionId", "question", "image", "ucsf_document_id"} <= columns


def _task_of(row: Row, images: ImageFolder) -> Task:
    if not row.optional("answers"):
        raise TaskError("it has no 'answers': those of the test split are not published; use that of validation")
    types = row.texts("question_types") if row.optional("question_types") else ()
    page = f"{row.optional('ucsf_document_id')}_{row.optional('ucsf_document_page_no')}"
    return Task(
        task_id=f"docvqa-{row.value('questionId')}",
        question=row.text("question"),
        answers=row.texts("answers"),
        sources=_sources(row, images),
        grader="anls",
        category=" + ".join(types),
        cluster=f"docvqa-{page}",
    )


def _sources(row: Row, images: ImageFolder) -> tuple[Source, ...]:
    """The page; by its file's name alone where the folder is not that of the path."""
    image = row.value("image")
    if isinstance(image, str) and images.find(image) is None:
        image = os.path.basename(image)
    return images.sources(image)


DOCVQA = Format(
    name="docvqa",
    about="DocVQA's JSON with its image folder, or parquet with the images inside",
    source="public loaders of val_v1.0_withQT.json and of lmms-lab/DocVQA",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("images", "documents", "spdocvqa_images"),
    test_word="val",
    documented_in="docs/tasks.md",
)
