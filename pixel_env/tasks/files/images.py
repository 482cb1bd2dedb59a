"""The pictures and videos that rows name: found in the data folder, looked at once, never outside of it.

Knows files and Pillow. Knows no format of tasks. A name that cannot be used raises TaskError.
"""

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from PIL import Image

from pixel_env.errors import MediaError, TaskError
from pixel_env.media.images import MAX_ASPECT_RATIO, FileSource
from pixel_env.tasks.files.clips import ClipFrame, clip_frames
from pixel_env.tasks.files.containers import cut_fault

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TAIL_BYTES = 4096
"""How much of a picture's end is looked at."""


class PictureFacts(NamedTuple):
    """Width and height as the header says, and why the picture cannot be used ("" if it can)."""

    width: int
    height: int
    fault: str


class EmbeddedPicture(Protocol):
    """A picture inside of a task file, which can be looked at without decoding it."""

    @property
    def key(self) -> str: ...

    def fault(self, *, decode: bool = False) -> str:
        """Why it cannot be used, or ""; `decode` looks at all of it."""
        ...


class PictureFolder:
    """The pictures and videos below `root`, by the names that rows give them.

    `below`: folders of `root` in which a name is looked for, in order. `checked`: faults by path relative to `root`, as
    an index holds them (or by the key of a picture in the task file): given, no other picture is opened here; None: the
    header of each is read, once. `used`, `clips` and `embedded` are the pictures, the parts of videos and the pictures
    in the task file that rows named, by path, by path and part, and by key.
    """

    def __init__(self, root: Path, below: Sequence[str] = ("",), checked: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.below = tuple(below)
        self._checked = checked
        self._inside = os.path.join(os.path.realpath(root), "")
        self._is_inside: dict[str, bool] = {}
        self._facts: dict[str, PictureFacts] = {}
        self._sources: dict[str, FileSource] = {}
        self._embedded_faults: dict[str, str] = {}
        self._cut_faults: dict[str, str] = {}
        self.used: dict[str, None] = {}
        self.clips: dict[str, tuple[ClipFrame, ...]] = {}
        self.embedded: dict[str, EmbeddedPicture] = {}

    def picture(self, name: str) -> FileSource:
        """The picture named `name`. Raises TaskError if it is missing, outside of the folder, or cannot be used."""
        if name not in self._sources:
            path = self.path(name)
            self.used[path] = None
            fault = self._facts_of(path).fault if self._checked is None else self._checked.get(self.relative(path), "")
            if fault:
                raise TaskError(f"the picture {name!r} cannot be used: {fault}")
            self._sources[name] = FileSource(Path(path))
        return self._sources[name]

    def clip(self, name: str, start_s: float | None = None, end_s: float | None = None) -> tuple[ClipFrame, ...]:
        """The frames of the video named `name`, or of its part in seconds. Raises TaskError as `picture` does."""
        path = self.path(name, "video")
        part = self.relative(path) if start_s is None else f"{self.relative(path)} from {start_s} to {end_s} s"
        if part not in self.clips:
            self.clips[part] = clip_frames(Path(path), start_s, end_s)
        fault = self._cut_fault_of(path) if self._checked is None else self._checked.get(part, "")
        if fault:
            raise TaskError(f"the video {name!r} cannot be used: {fault}")
        return self.clips[part]

    def relative(self, path: str) -> str:
        """How an index names the picture at `path`."""
        return path.removeprefix(os.path.join(self.root, ""))

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of the picture named `name`. Raises TaskError as `picture` does."""
        facts = self._facts_of(self.path(name))
        if facts.fault:
            raise TaskError(f"the picture {name!r} cannot be used: {facts.fault}")
        return facts.width, facts.height

    def path(self, name: str, kind: Literal["picture", "video"] = "picture") -> str:
        """Where the file named `name` is. Raises TaskError if it is missing or outside of the folder."""
        place = self.find(name, stat.S_ISREG)
        if place is None:
            folders = [folder for folder in self.below if folder]
            where = f", or to {', '.join(folders)} in it" if folders else ""
            raise TaskError(f"there is no {kind} {name!r}; paths are relative to the folder of the task file{where}")
        return place

    def find(self, name: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> str | None:
        """The first place below the folder where something named `name` is of that kind, or None."""
        if not name.strip() or "\0" in name or not _is_encodable(name):
            raise TaskError(f"{name!r} is no path")
        for folder in self.below:
            place = os.path.join(self.root, folder, name)
            mode = _mode_of(place, os.lstat)
            is_link = stat.S_ISLNK(mode)
            if not self._is_within(place, is_link=is_link):
                raise TaskError(
                    f"the path {name!r} leaves the folder {self.root}; put the files into it, as files and not as links"
                )
            if is_kind(_mode_of(place, os.stat) if is_link else mode):
                return place
        return None

    def _is_within(self, place: str, *, is_link: bool) -> bool:
        # realpath follows links, so neither ".." nor an absolute path nor a link leads out. It is slow: once a folder.
        parent, last = os.path.split(place)
        if is_link or last in ("", ".", ".."):
            return self._leads_inside(place)
        if parent not in self._is_inside:
            self._is_inside[parent] = self._leads_inside(parent)
        return self._is_inside[parent]

    def _leads_inside(self, place: str) -> bool:
        return os.path.join(os.path.realpath(place), "").startswith(self._inside)

    def embedded_fault(self, picture: EmbeddedPicture) -> str:
        """Why a picture inside of the task file cannot be used, or ""."""
        if picture.key not in self._embedded_faults:
            self.embedded[picture.key] = picture
            checked = self._checked
            self._embedded_faults[picture.key] = picture.fault() if checked is None else checked.get(picture.key, "")
        return self._embedded_faults[picture.key]

    def _cut_fault_of(self, path: str) -> str:
        if path not in self._cut_faults:
            self._cut_faults[path] = cut_fault(Path(path))
        return self._cut_faults[path]

    def _facts_of(self, path: str) -> PictureFacts:
        if path not in self._facts:
            self._facts[path] = picture_facts(Path(path))
        return self._facts[path]


def _mode_of(place: str, look: Callable[[str], os.stat_result]) -> int:
    try:
        return look(place).st_mode
    except OSError:
        return 0


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def picture_facts(path: Path) -> PictureFacts:
    """What the header of the picture says. A file whose end is not as its format wants is decoded to make sure."""
    try:
        with Image.open(path) as opened:
            (width, height), form = opened.size, opened.format
    except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
        return PictureFacts(0, 0, reason_of(error))
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        return PictureFacts(width, height, f"{width}x{height} is longer than {MAX_ASPECT_RATIO:.0f} to 1")
    return PictureFacts(width, height, decoding_fault(path) if _looks_cut(path, form) else "")


def thorough_fault(path: Path) -> str:
    """Why the picture cannot be used, or "", after decoding all of it."""
    return picture_facts(path).fault or decoding_fault(path)


def decoding_fault(path: Path) -> str:
    """Why the whole picture cannot be decoded, or ""."""
    try:
        FileSource(path).decode()
    except MediaError as error:
        return reason_of(error.__cause__ or error)
    return ""


def reason_of(error: BaseException) -> str:
    """Why a picture cannot be used, for a message."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "it is no picture that can be read"
    return str(error) or type(error).__name__


def _looks_cut(path: Path, form: str | None) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - TAIL_BYTES))
        return lacks_end(form, head, file.read(), length)


def lacks_end(form: str | None, head: bytes, tail: bytes, length: int) -> bool:
    """Whether a picture of `length` bytes lacks the end that its format writes. A whole picture may lack it too."""
    match form:
        case "JPEG":
            return b"\xff\xd9" not in tail
        case "PNG":
            return b"IEND" not in tail
        case "WEBP":
            return int.from_bytes(head[4:8], "little") + 8 > length
        case _:
            return True


def frames_in(folder: str) -> list[str]:
    """The picture files of a folder of frames, by the numbers in their names."""
    names = [entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(PICTURE_SUFFIXES)]
    return sorted(names, key=lambda name: [(int(part), "") if part.isdigit() else (0, part) for part in _parts(name)])


def _parts(name: str) -> list[str]:
    return re.split(r"([0-9]+)", name)
