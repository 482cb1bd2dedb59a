"""A question about files of one's own, as a task: images, a video, or a folder of a video's frames.

Depends on files; independent of models. Frames of a video are selected as for a task of a data set. The task has no
reference answer, so the model's answer is not graded.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

from pixel_env.errors import MediaError, MissingExtraError, TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES, has_more_frames, opened
from pixel_env.media.sources import FileSource
from pixel_env.media.videos.clips import times_of, video_fault
from pixel_env.task import Task
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES, clip_frames, evenly
from pixel_env.tasks.files.images import decoding_fault, frames_in, image_facts
from pixel_env.views import Source

_WANTED = "Give one or more images, a video, or a folder with the frames of a video."


def task_of_files(names: Sequence[str], question: str, options: Sequence[str] = ()) -> Task:
    """The task of answering `question` about the files. Raises TaskError for files that cannot be used."""
    if not names:
        raise TaskError(f"no image is given. {_WANTED}")
    if not question.strip():
        raise TaskError("no question is given. Write it after the images, in quotation marks.")
    if len(options) == 1:
        raise TaskError(f"--options needs at least two options, got only {options[0]!r}")
    paths = [Path(name).expanduser() for name in names]
    for path in paths:
        if not path.exists():
            raise TaskError(f"there is no file {str(path)!r}. Give the images first, then the question.")
    videos = [path for path in paths if path.is_dir() or _is_video(path)]
    if videos and len(paths) > 1:
        raise TaskError(f"{str(videos[0])!r} is a video, and a video must be the only file. Leave out the others.")
    return Task(
        task_id=paths[0].name,
        question=question,
        answers=(),
        sources=_frames(videos[0]) if videos else tuple(_image(path) for path in paths),
        media="video" if videos else "image",
        grader="choice" if options else "exact",
        options=tuple(options),
    )


def _is_video(path: Path) -> bool:
    """By content; of what is neither a picture nor a film the name tells which of the two it was meant to be."""
    try:
        with opened(path) as picture:
            return picture.format == "GIF" and has_more_frames(picture)
    except MissingExtraError:  # a HEIC, reported later
        return False
    except Exception:  # Pillow's readers raise nearly anything for what is no picture
        return path.suffix.lower() in VIDEO_SUFFIXES or _is_film(path)


def _is_film(path: Path) -> bool:
    try:
        return times_of(path).count > 1  # a picture that Pillow refuses may be a film of one frame for a decoder
    except (MediaError, MissingExtraError):
        return False


def _frames(path: Path) -> tuple[Source, ...]:
    if path.is_dir():
        images = evenly([path / name for name in frames_in(str(path))])
        if not images:
            raise TaskError(f"the folder {str(path)!r} holds no frames ({', '.join(IMAGE_SUFFIXES)}). {_WANTED}")
        return tuple(_image(image) for image in images)
    fault = video_fault(path)
    if fault:
        raise TaskError(f"the video {str(path)!r} cannot be used: {fault}")
    return clip_frames(path)


def _image(path: Path) -> FileSource:
    fault = image_facts(path).fault or decoding_fault(path)
    if fault:
        raise TaskError(f"the image {str(path)!r} cannot be used: {fault}. {_WANTED}")
    with opened(path) as picture:
        if has_more_frames(picture):
            warnings.warn(f"{str(path)!r} has several frames or pages; the first one is shown.", stacklevel=2)
    return FileSource(path)
