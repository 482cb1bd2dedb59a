"""MVBench: 20 tasks, one JSON file each, and the folders of their videos; or VLMEvalKit's single table of them.

A row has `video` (a file, or for episodic reasoning a folder of frames), `question`, `candidates`, `answer` (the text
of one candidate) and, if the task is about a segment of the video, `start` and `end` in seconds (`accurate_start` and
`accurate_end` are not used). A check compares `end` and `fps` with the file. The file's name is the task, which is the
category. A row of the table (MVBench.tsv) has `task_type` ("Fine-grained Action") and `prefix`, the video's folder; a
table without the column `start` (MVBench_MP4.tsv) has videos that are already trimmed to the segment.

In the branch `video` of the download the segments are files of their own, in folders of other names and, if the row has
bounds, with these in their names (USNP1_1.3_15.4.mp4): they are shown whole.

A video is in the folder that the table below names, in `video` of the data folder, in its supplement `data0613` or in
the data folder itself, or in a folder with the task's name. A folder of images with the video's name, with or without
suffix, replaces the video: for episodic reasoning 3 images per second, numbered from 1; for the other tasks only the
segment. The videos of fine-grained pose (NTU RGB+D) are not in the download: its rows are reported until the files
exist.

Source: the table of mvbench.ipynb in OpenGVLab/Ask-Anything (file, folder, kind, whether bounds are given; frames at 3
a second from 00001.jpg); the authors on data0613.zip in issues 198 and 236 there; vlmeval/dataset/mvbench.py of
open-compass/VLMEvalKit for its table; the same file and lmms_eval/tasks/mvbench/utils.py of EvolvingLMMs-Lab/lmms-eval
for the folders of the branch `video`, whose own JSON files were not seen: unverified.
"""

import math
import os
import stat
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.clips import evenly
from pixel_env.tasks.files.images import ImageFolder, frames_in
from pixel_env.tasks.files.row import Row, is_finite, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import is_among, listed
from pixel_env.views import Source

FOLDERS = {
    "action_antonym": "ssv2_video",
    "action_count": "perception/videos",
    "action_localization": "sta/sta_video",
    "action_prediction": "star/Charades_v1_480",
    "action_sequence": "star/Charades_v1_480",
    "character_order": "perception/videos",
    "counterfactual_inference": "clevrer/video_validation",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "fine_grained_pose": "nturgbd",
    "moving_attribute": "clevrer/video_validation",
    "moving_count": "clevrer/video_validation",
    "moving_direction": "clevrer/video_validation",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "scene_transition": "scene_qa/video",
    "state_change": "perception/videos",
    "unexpected_action": "FunQA_test/test",
}
"""The 20 tasks by the names of their files, and the folder of each one's videos."""

CUT_FOLDERS = {
    "action_antonym": "ssv2_video_mp4",
    "action_localization": "sta/sta_video_segment",
    "action_prediction": "star/Charades_segment",
    "action_sequence": "star/Charades_segment",
    "episodic_reasoning": "tvqa/video_fps3_hq_segment",
    "fine_grained_pose": "nturgbd_convert",
    "object_interaction": "star/Charades_segment",
}
"""Where the branch `video` has the videos of a task in another folder, cut to the segment."""

BOUNDED = frozenset(
    {"action_localization", "action_prediction", "action_sequence", "episodic_reasoning", "object_interaction"}
)
"""The tasks about a segment of the video."""

_FRAMES_PER_SECOND = 3  # in the folders of frames of episodic reasoning
_COLUMNS = frozenset({"video", "question", "candidates", "answer"})
_UNUSED = frozenset({"start", "end", "accurate_start", "accurate_end", "fps", "question_id", "subtitle"})
_OF_TABLE = frozenset({"task_type", "prefix", "data_type", "bound", "index"})


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return columns >= _COLUMNS and "domain" not in columns  # a column of Video-MME


def _joins(columns: frozenset[str]) -> bool:
    return "task_type" not in columns  # the table is a set of its own, made of all the files


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "json" else file.parent


def _task_of(row: Row, images: ImageFolder) -> Task:
    task_name = _task_name(row)
    options, answer = _candidates(row), row.texts("answer")[0]
    if len(options) < 2 or not is_among(answer, options):
        raise TaskError(f"its answer {shortened(answer)} is not one of the candidates {shortened(options)}")
    return Task(
        task_id=f"{task_name}:{row.number}",
        question=row.text("question"),
        answers=(answer,),
        sources=_sources(row, task_name, images),
        media="video",
        grader="choice",
        options=options,
        category=task_name,
    )


def _task_name(row: Row) -> str:
    task_type = row.optional("task_type")
    name = row.file.stem if task_type is None else row.text("task_type").lower().replace(" ", "_").replace("-", "_")
    if name not in FOLDERS:
        raise TaskError(
            f"{shortened(task_type or row.file.name)} is not a task of MVBench; they are {', '.join(sorted(FOLDERS))}"
        )
    return name


def _candidates(row: Row) -> tuple[str, ...]:
    """The options; in a table they are written as the text of a list."""
    texts = row.texts("candidates")
    return tuple(listed(texts[0])) if len(texts) == 1 else texts


def _sources(row: Row, task_name: str, images: ImageFolder) -> tuple[Source, ...]:
    name, rate = row.text("video"), row.optional("fps")
    stated_rate = float(rate) if isinstance(rate, int | float) and is_finite(rate) and rate > 0 else None
    for path in _cut(row, task_name, name):
        if images.find(path) is not None:
            return images.clip(path, stated_rate=stated_rate)
    bounds = _bounds(row) if task_name in BOUNDED and not _is_trimmed(row) else None
    folders = _folders(row, task_name)
    for folder in folders:
        path = os.path.join(folder, name)
        for frames in (path, os.path.splitext(path)[0]):
            if images.find(frames, stat.S_ISDIR) is not None:
                return _images_of(frames, images, bounds if task_name == "episodic_reasoning" else None)
        if images.find(path) is not None:
            return images.clip(path, *(bounds or ()), stated_rate=stated_rate)
    raise TaskError(f"there is no video {shortened(name)} in {', '.join(folders[:3])} of the data folder")


def _cut(row: Row, task_name: str, name: str) -> list[str]:
    """Where the segment may be as a file of its own."""
    folder = CUT_FOLDERS.get(task_name)
    if folder is None:
        return []
    stem, suffix = os.path.splitext(name)
    bounds = row.optional("start"), row.optional("end")
    names = [name] if None in bounds else [f"{stem}_{bounds[0]}_{bounds[1]}{suffix}", name]
    return [os.path.join(below, folder, given) for below in ("", "video") for given in names]


def _folders(row: Row, task_name: str) -> tuple[str, ...]:
    task_folder = FOLDERS[task_name]
    prefix = (row.text("prefix"),) if row.optional("prefix") is not None else ()
    return (
        *prefix,
        f"video/{task_folder}",
        task_folder,
        task_name,
        f"video/{task_name}",
        f"video/data0613/{task_folder}",
        "video",
        "",
    )


def _is_trimmed(row: Row) -> bool:
    return row.optional("task_type") is not None and "start" not in row.values


def _bounds(row: Row) -> tuple[float, float]:
    try:
        start_s, end_s = (float(second) for second in row.texts("start") + row.texts("end"))
    except ValueError:
        start_s = end_s = math.nan
    if not 0 <= start_s < end_s < math.inf:
        given = row.value("start"), row.value("end")
        raise TaskError(f"'start' and 'end' must be seconds, 'start' before 'end', got {shortened(given)}")
    return start_s, end_s


def _images_of(folder: str, images: ImageFolder, bounds: tuple[float, float] | None) -> tuple[Source, ...]:
    path = images.find(folder, stat.S_ISDIR)
    names = frames_in(path) if path is not None else []
    if bounds is not None:
        first, last = (round(second * _FRAMES_PER_SECOND) for second in bounds)
        names = names[max(first - 1, 0) : last] or names[-1:]
    if not names:
        raise TaskError(f"there is no image in the folder of frames {folder!r}")
    return tuple(images.image(os.path.join(folder, name)) for name in evenly(names))


MVBENCH = Format(
    name="mvbench",
    about="MVBench: 20 JSON files or a table of them, with videos or folders of frames",
    source="mvbench.ipynb of OpenGVLab/Ask-Anything",
    is_verified=True,
    columns=_COLUMNS | _UNUSED | _OF_TABLE,
    recognises=_recognises,
    task_of=_task_of,
    root_of=_root_of,
    joins=_joins,
    documented_in="docs/tasks.md",
)
