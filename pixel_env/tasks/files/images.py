"""The images and videos that rows name: looked up in the data folder, never outside of it, and checked once.

Depends on files and Pillow; independent of task formats. A name that cannot be used raises TaskError.
"""

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pixel_env.errors import MediaError, TaskError
from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import IMAGE_SUFFIXES, opened
from pixel_env.media.sizes import ratio_fault
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files import archives
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.files.cells import begins_as_image_text
from pixel_env.tasks.files.clips import ClipFrame, clip_frames
from pixel_env.tasks.files.containers import truncation_fault
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.lfs import pointer_fault
from pixel_env.tasks.files.row import shortened
from pixel_env.tasks.files.stated_times import StatedTimes
from pixel_env.tasks.files.truncation import TAIL_BYTES, lacks_end, reason_of
from pixel_env.views import Source

_LONGEST_NAME = 200  # characters of a path in a message
_WEB_ADDRESS = re.compile(r"(?:https?|ftp|s3|gs|hf|oss)://", re.IGNORECASE)


_NOTHING_MORE = MediaAccess()


class ImageFacts(NamedTuple):
    """Width and height as shown, turned by EXIF; why the image cannot be used ("" if it can); its format in Pillow."""

    width: int
    height: int
    fault: str
    form: str = ""


class ImageFolder:
    """The images and videos below `root`, by the names that rows give them.

    `below`: folders of `root` in which a name is looked up, in order. `checked`: faults by path relative to `root` (of
    an image in a task file, by the file and the place in it), as an index holds them: then no image is opened here;
    None: the header of each image is read, once. `used`, `clips` and `embedded` are the images, the segments of videos
    and the images in task files that rows named, by path, by path and segment, and by file and place. `access`: what
    may be read outside of `root`.
    """

    def __init__(
        self,
        root: Path,
        below: Sequence[str] = ("",),
        checked: Mapping[str, str] | None = None,
        access: MediaAccess = _NOTHING_MORE,
    ) -> None:
        self.root = root
        self.below = tuple(below)
        self._checked = checked
        self._access = access
        self._inside = tuple(os.path.join(os.path.realpath(folder), "") for folder in access.folders_of(root))
        self._own_folder = os.path.join(os.path.abspath(root), "")
        media_root = () if access.media_root is None else (os.path.abspath(access.media_root),)
        self._searched = (*(os.path.join(root, folder) for folder in below), *media_root)
        self._is_inside: dict[str, bool] = {}
        self._facts: dict[str, ImageFacts] = {}
        self._sources: dict[str, FileSource] = {}
        self._truncation_faults: dict[str, str] = {}
        self.used: dict[str, None] = {}
        self.clips: dict[str, tuple[ClipFrame, ...]] = {}
        self.stated: dict[StatedTimes, None] = {}
        self.embedded: dict[str, EmbeddedImage] = {}

    def image(self, name: str) -> FileSource:
        """The image named `name`. Raises TaskError if it is missing, outside of the folder, or cannot be used."""
        if name not in self._sources:
            path = self.path(name)
            self.used[path] = None
            fault = self._facts_of(path).fault if self._checked is None else self._checked.get(self.relative(path), "")
            if fault:
                raise TaskError(f"the image {_named(name)} cannot be used: {fault}")
            self._sources[name] = FileSource(Path(path))
        return self._sources[name]

    def sources(self, value: object, column: str = "image") -> tuple[Source, ...]:
        """The images that a cell holds: a path, an image in the task file, or a list of these; none for None.

        Raises TaskError for anything else, such as the address of a web page, and as `image` does.
        """
        if value is None:
            return ()
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(self._source(item, column) for item in items)

    def _source(self, item: object, column: str) -> Source:
        if isinstance(item, EmbeddedImage):
            return self._embedded(item)
        if not isinstance(item, str):
            raise TaskError(f"{column!r} must be a path, an image or a list of these, got {shortened(item)}")
        if item.startswith("data:"):
            raise TaskError(
                f"{column!r} is a data URL that is no image in base64, {shortened(item)}; write "
                "'data:image/png;base64,' and the base64 of an image file"
            )
        if begins_as_image_text(item) and not self._is_file(item):
            raise TaskError(
                f"{column!r} begins as an image in base64 and is none, {shortened(item)}; it holds a character that "
                "base64 does not have, or is padded wrongly: encode the image again, or give its path"
            )
        if _WEB_ADDRESS.match(item):
            raise TaskError(f"{column!r} is a web address, {shortened(item)}; download the file and give its path")
        return self.image(item.removeprefix("file://"))

    def _is_file(self, name: str) -> bool:
        try:
            return self.find(name) is not None
        except TaskError:
            return False

    def _embedded(self, image: EmbeddedImage) -> EmbeddedImage:
        """The image. Raises TaskError if it cannot be used."""
        name = f"{self.relative(str(image.place.path))}: {image.place.location}"
        self.embedded[name] = image
        fault = image.fault() if self._checked is None else self._checked.get(name, "")
        if fault:
            raise TaskError(f"its image cannot be used: {fault}")
        return image

    def size_of(self, source: Source) -> tuple[int, int]:
        """Width and height of an image that `sources` gave, as it is shown; only its header is decoded.

        Raises TaskError if it cannot be read.
        """
        try:
            if isinstance(source, EmbeddedImage):
                return source.size
            if isinstance(source, FileSource):
                facts = self._facts_of(str(source.path))
                if facts.fault:
                    raise TaskError(f"the image {source.path} cannot be used: {facts.fault}")
                return facts.width, facts.height
            return source.decode().size
        except MediaError as error:
            raise TaskError(str(error)) from error

    def clip(
        self,
        name: str,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        stated_s: float | None = None,
        stated_rate: float | None = None,
    ) -> tuple[ClipFrame, ...]:
        """The frames of the video named `name`, or of a segment in seconds. Raises TaskError as `image` does.

        `stated_s` and `stated_rate`: how long the row says it lasts, and its frames per second; a check compares them.
        """
        path = self.path(name, "video")
        if (end_s, stated_s, stated_rate) != (None, None, None):
            self.stated[StatedTimes(Path(path), end_s, stated_s, stated_rate)] = None
        segment = self.relative(path) if start_s is None else f"{self.relative(path)} from {start_s} to {end_s} s"
        if self._checked is None and (fault := pointer_fault(Path(path))):
            raise TaskError(f"the video {_named(name)} cannot be used: {fault}")
        if segment not in self.clips:
            self.clips[segment] = clip_frames(Path(path), start_s, end_s)
        fault = self._truncation_fault_of(path) if self._checked is None else self._checked.get(segment, "")
        if fault:
            raise TaskError(f"the video {_named(name)} cannot be used: {fault}")
        return self.clips[segment]

    def relative(self, path: str) -> str:
        """The name in an index of the image at `path`."""
        return path.removeprefix(os.path.join(self.root, ""))

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of the image named `name`, turned upright by its EXIF tag as it is shown.

        Raises TaskError as `image` does.
        """
        facts = self._facts_of(self.path(name))
        if facts.fault:
            raise TaskError(f"the image {_named(name)} cannot be used: {facts.fault}")
        return facts.width, facts.height

    def path(self, name: str, kind: Literal["image", "video"] = "image") -> str:
        """Where the file named `name` is. Raises TaskError if it is missing or outside of the folder."""
        path = self.find(name, stat.S_ISREG)
        if path is None:
            folders = [folder for folder in self.below if folder]
            alternatives = f", or to {', '.join(folders)} in it" if folders else ""
            raise TaskError(
                f"there is no {kind} {_named(name)}; give a path relative to the folder of the task file"
                f"{alternatives}{self._packed()}"
            )
        return path

    def _packed(self) -> str:
        """A hint at archives that were not unpacked, or ""."""
        packed = archives.in_folder(self.root)
        return f". {', '.join(packed)} may hold it: {archives.advice(self.root)}" if packed else ""

    def find(self, name: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> str | None:
        """The first path below the folder with this name and of that kind, or None."""
        if not name.strip() or "\0" in name or not _is_encodable(name):
            raise TaskError(f"{_named(name)} is not a path")
        for folder in self._searched:
            path = os.path.join(folder, name)
            mode = _mode_of(path, os.lstat)
            is_link = stat.S_ISLNK(mode)
            if not self._is_within(path, is_link=is_link):
                raise TaskError(
                    f"the path {_named(name)} leaves the folder {self.root}; put the files into it, or allow it: "
                    "--follow_links if links in the folder lead out, --media_root FOLDER for files in another folder"
                )
            if is_kind(_mode_of(path, os.stat) if is_link else mode):
                return path
        return None

    def _is_within(self, path: str, *, is_link: bool) -> bool:
        # realpath follows links, so neither ".." nor an absolute path nor a link leads out. Slow: once per folder.
        parent, last = os.path.split(path)
        if is_link or last in ("", ".", ".."):
            return self._leads_inside(path)
        if parent not in self._is_inside:
            self._is_inside[parent] = self._leads_inside(parent)
        return self._is_inside[parent]

    def _leads_inside(self, path: str) -> bool:
        if self._access.follow_links and os.path.abspath(path).startswith(self._own_folder):
            return True
        return os.path.join(os.path.realpath(path), "").startswith(self._inside)

    def _truncation_fault_of(self, path: str) -> str:
        if path not in self._truncation_faults:
            self._truncation_faults[path] = truncation_fault(Path(path))
        return self._truncation_faults[path]

    def _facts_of(self, path: str) -> ImageFacts:
        if path not in self._facts:
            self._facts[path] = image_facts(Path(path))
        return self._facts[path]


def _named(name: str) -> str:
    return shortened(name, _LONGEST_NAME)


def _mode_of(path: str, stat_function: Callable[[str], os.stat_result]) -> int:
    try:
        return stat_function(path).st_mode
    except OSError:
        return 0


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def image_facts(path: Path) -> ImageFacts:
    """The header of the image. A file without the end that its format writes is decoded to be sure."""
    facts = header_facts(path)
    if facts.fault or not _seems_truncated(path, facts.form):
        return facts
    return facts._replace(fault=decoding_fault(path))


def header_facts(path: Path) -> ImageFacts:
    """What the header of the image tells; of a truncated one it tells nothing wrong."""
    try:
        with path.open("rb") as file, opened(file) as picture:
            (width, height), form = upright_size(picture, file), picture.format or ""
    except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
        return ImageFacts(0, 0, pointer_fault(path) or reason_of(error))
    return ImageFacts(width, height, ratio_fault(width, height), form)


def decoding_fault(path: Path) -> str:
    """Why the whole image cannot be decoded, or ""."""
    try:
        FileSource(path).decode()
    except MediaError as error:
        return reason_of(error.__cause__ or error)
    return ""


def _seems_truncated(path: Path, form: str) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - TAIL_BYTES))
        return lacks_end(form, head, file.read(), length)


def frames_in(folder: str) -> list[str]:
    """The image files of a folder of frames, by the numbers in their names."""
    names = [entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(IMAGE_SUFFIXES)]
    return sorted(names, key=lambda name: [(int(part), "") if part.isdigit() else (0, part) for part in _parts(name)])


def _parts(name: str) -> list[str]:
    return re.split(r"([0-9]+)", name)
