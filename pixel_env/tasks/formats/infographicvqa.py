"""InfographicVQA's JSON: {dataset_name, dataset_version, dataset_split, data: [row, ...]}.

A row has `questionId`, `question`, `image_local_name` ("20471.jpeg", looked up in the data folder and in the image
folders of the download), `answers` (all of them count, by ANLS), `answer_type` (the category), and `evidence`,
`operation/reasoning`, `image_url` and `ocr_output_file`, which are not used. The test split is published without
answers, so split "test" of a folder is the validation file. The hub's parquet (lmms-lab/DocVQA) has the same columns,
with `image` inside instead of its name.

Source: public loaders (zhongzhouTan-coder/benchmark and others that read infographicsVQA_val_v1.0_withQT.json, and the
evaluation script of the competition, which names `answer_type`); the download itself needs a registration and was not
available: unverified.
"""

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format

_COLUMNS = frozenset(
    {"questionId", "question", "image_local_name", "image", "answers", "answer_type", "evidence"}
    | {"operation/reasoning", "image_url", "ocr_output_file", "ocr", "data_split"}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    is_parquet = {"image", "image_url", "answer_type"} <= columns
    return {"questionId", "question"} <= columns and ("image_local_name" in columns or is_parquet)


def _task_of(row: Row, images: ImageFolder) -> Task:
    if not row.optional("answers"):
        raise TaskError("it has no 'answers': those of the test split are not published; use the validation file")
    types = row.texts("answer_type") if row.optional("answer_type") else ()
    return Task(
        task_id=f"infographicvqa-{row.value('questionId')}",
        question=row.text("question"),
        answers=row.texts("answers"),
        sources=images.sources(row.value("image_local_name", "image")),
        grader="anls",
        category=" + ".join(types),
    )


INFOGRAPHICVQA = Format(
    name="infographicvqa",
    about="InfographicVQA's JSON with its image folder",
    source="public loaders of infographicsVQA_val_v1.0_withQT.json",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=(
        "images",
        "infographicsvqa_images",
        "infographicVQA_train_v1.0_images",
        "infographicVQA_val_v1.0_images",
    ),
    test_word="val",
    documented_in="docs/tasks.md",
)
