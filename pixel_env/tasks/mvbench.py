"""MVBench: 20 tasks, one json file each, and the folders of videos that they name.

A row has `video` (a file, or for episodic reasoning a folder of frames), `question`, `candidates`, `answer` (the text
of one candidate) and, where the task is about a part of the video, `start` and `end` in seconds (`accurate_start` and
`accurate_end` are not used). The file's name is the task, which is the category.

A video lies in the folder that the table names, in `video` of the data folder or in the data folder itself, or in a
folder with the task's name. A folder of pictures with the video's name, suffix or not, stands for the video: of
episodic reasoning 3 a second and numbered from 1, of the others already the part in question.

Source: the table of mvbench.ipynb in OpenGVLab/Ask-Anything (file, folder, kind, whether bounds are given).
"""

import os
import stat
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.clips import clip_frames, evenly
from pixel_env.tasks.format import Format
from pixel_env.tasks.options import is_among
from pixel_env.tasks.pictures import PictureFolder, frames_in
from pixel_env.tasks.rows import Row, shortened
from pixel_env.types import Source, Task

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

BOUNDED = frozenset(
    {"action_localization", "action_prediction", "action_sequence", "episodic_reasoning", "object_interaction"}
)
"""The tasks about a part of the video."""

_FRAMES_PER_SECOND = 3  # of the folders of frames that episodic reasoning comes with
_COLUMNS = frozenset({"video", "question", "candidates", "answer"})
_UNUSED = frozenset({"start", "end", "accurate_start", "accurate_end", "fps", "question_id", "subtitle"})


def _told_by(columns: frozenset[str], suffix: str) -> bool:
    return columns >= _COLUMNS


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "json" else file.parent


def _task_of(row: Row, pictures: PictureFolder) -> Task:
    task_name = row.file.stem
    if task_name not in FOLDERS:
        raise TaskError(f"{row.file.name} is none of MVBench's files, which are {', '.join(sorted(FOLDERS))}.json")
    options, answer = row.texts("candidates"), row.texts("answer")[0]
    if len(options) < 2 or not is_among(answer, options):
        raise TaskError(f"its answer {answer!r} is none of the candidates {shortened(options)}")
    return Task(
        task_id=f"{task_name}:{row.number}",
        question=row.text("question"),
        answers=(answer,),
        sources=_sources(row, pictures),
        media="video",
        grader="choice",
        options=options,
        category=task_name,
    )


def _sources(row: Row, pictures: PictureFolder) -> tuple[Source, ...]:
    bounds = _bounds(row) if row.file.stem in BOUNDED else None
    name = row.text("video")
    for folder in _folders(row.file.stem):
        place = os.path.join(folder, name)
        for frames in (place, os.path.splitext(place)[0]):
            if pictures.find(frames, stat.S_ISDIR) is not None:
                return _pictures_of(frames, pictures, bounds if row.file.stem == "episodic_reasoning" else None)
        found = pictures.find(place)
        if found is not None:
            return clip_frames(Path(found), *(bounds or ()))
    raise TaskError(f"there is no video {name!r} in {', '.join(_folders(row.file.stem)[:3])} of the data folder")


def _folders(task_name: str) -> tuple[str, ...]:
    own = FOLDERS[task_name]
    return (f"video/{own}", own, task_name, f"video/{task_name}", "video", "")


def _bounds(row: Row) -> tuple[float, float]:
    start_s, end_s = row.value("start"), row.value("end")
    if not isinstance(start_s, int | float) or not isinstance(end_s, int | float) or not 0 <= start_s < end_s:
        raise TaskError(f"'start' and 'end' must be seconds in order, got {shortened((start_s, end_s))}")
    return float(start_s), float(end_s)


def _pictures_of(folder: str, pictures: PictureFolder, bounds: tuple[float, float] | None) -> tuple[Source, ...]:
    place = pictures.find(folder, stat.S_ISDIR)
    names = frames_in(place) if place is not None else []
    if bounds is not None:
        first, last = (round(second * _FRAMES_PER_SECOND) for second in bounds)
        names = names[max(first - 1, 0) : last] or names[-1:]
    if not names:
        raise TaskError(f"there is no picture in the folder of frames {folder!r}")
    return tuple(pictures.picture(os.path.join(folder, name)) for name in evenly(names))


MVBENCH = Format(
    name="mvbench",
    about="MVBench: 20 json files, with videos or folders of frames",
    source="mvbench.ipynb of OpenGVLab/Ask-Anything",
    is_verified=True,
    columns=_COLUMNS | _UNUSED,
    told_by=_told_by,
    task_of=_task_of,
    root_of=_root_of,
    joins=lambda columns: True,
)
