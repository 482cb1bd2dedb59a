"""Video-MME: 2,700 questions about 900 videos, three for each.

The published parquet (`videomme/test-00000-of-00001.parquet`) has `video_id`, `duration` (short, medium or long),
`domain`, `sub_category`, `url`, `videoID` (the name of the video's file in `data`, without its ending), `question_id`,
`task_type`, `question`, `options` ("A. Black.", ...) and `answer` (a letter); VLMEvalKit's table has `video`,
`video_path` and `candidates` for these. The duration is the category. All questions about a video share a cluster.
Subtitles are not used.

Source: the README of lmms-lab/Video-MME (its columns), lmms_eval/tasks/videomme/utils.py of EvolvingLMMs-Lab/lmms-eval
(commit 75571cfe), vlmeval/dataset/videomme.py of open-compass/VLMEvalKit (e8e78f05).
"""

from pathlib import Path

from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in, reference_of
from pixel_env.tasks.formats.published_paths import video_named

_COLUMNS = frozenset(
    {"video_id", "duration", "domain", "sub_category", "url", "videoID", "question_id", "task_type", "question"}
    | {"options", "answer", "index", "video", "video_path", "candidates", "subtitle_path"}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    is_about_videos = {"question", "answer", "duration", "domain", "sub_category"} <= columns
    return is_about_videos and bool(columns & {"videoID", "video_path"})


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "videomme" else file.parent


def _task_of(row: Row, images: ImageFolder) -> Task:
    options = options_in(row.value("options", "candidates"), "options")
    answer = reference_of(row.text("answer"), options)
    video = row.text("videoID", "video_path")
    return Task(
        task_id=f"videomme-{row.name('question_id', 'index')}",
        question=row.text("question"),
        answers=(answer,),
        sources=video_named(video, images),
        media="video",
        grader="choice",
        options=options,
        category=str(row.optional("duration") or ""),
        cluster=video,
    )


VIDEOMME = Format(
    name="videomme",
    about="Video-MME, with its videos",
    source="the README of lmms-lab/Video-MME and lmms_eval/tasks/videomme of EvolvingLMMs-Lab/lmms-eval",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    root_of=_root_of,
    below=("data", "video", "videos"),
    documented_in="docs/benchmarks.md",
)
