"""Data sets of the hub: fetched once, unpacked and checked, then a folder like any other.

The cache, the mirror and the offline mode are huggingface_hub's own (HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE). Depends on
folders and the hub; independent of formats.
"""

import glob
import os
import re
import shutil
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.tasks.files import archives
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES
from pixel_env.tasks.files.rows import SUFFIXES
from pixel_env.tasks.preparation.index import INDEX_NAME
from pixel_env.tasks.preparation.preparing import Prepared, Tell, prepare

_HUB_PART = re.compile(r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*):(?P<part>(?!/)(?!.*\.\.).+)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SPLITS = ("train", "test", "validation", "val", "dev")
_SUFFIXES = (*SUFFIXES, *archives.SUFFIXES, *IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
_FETCHED = [f"*{written}" for suffix in _SUFFIXES for written in (suffix, suffix.upper())]


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form "owner/name" and is not the path of a task file."""
    return _HUB_ID.fullmatch(name) is not None and not name.lower().endswith(SUFFIXES)


def data_home() -> Path:
    """The folder of fetched sets: PIXEL_ENV_DATA, or pixel-env/data in the user's cache folder."""
    given = os.environ.get("PIXEL_ENV_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(given or f"{cache}/pixel-env/data").expanduser()


def fetched(hub_id: str) -> Path:
    """The folder of the data set "owner/name": fetched and prepared unless it exists. Raises TaskError."""
    return _folder_of(hub_id, (), lambda line: None)[0]


def chosen_on_hub(spec: str) -> tuple[str, str] | None:
    """The data set and its part that "owner/name:PART" names, None for any other text.

    A part is a split, a file, a folder or a pattern of files: "validation", "hr_bench_4k.tsv", "default/test",
    "data/validation-*.parquet".
    """
    match = _HUB_PART.fullmatch(spec)
    return None if match is None else (match["id"], match["part"].rstrip("/"))


def fetched_part(hub_id: str, part: str) -> Path:
    """The path of a part of a data set in the hub's cache; only its files are fetched. Raises TaskError."""
    snapshot_download = _downloader(hub_id)
    if part in _SPLITS:
        return _split_in(_download(snapshot_download, hub_id, _files_of_split(part)), hub_id, part)
    is_folder = not glob.has_magic(part) and not Path(part).suffix
    path = _download(snapshot_download, hub_id, [f"{part}/*" if is_folder else part]) / part
    if not path.exists() and not any(path.parent.glob(path.name)):
        raise TaskError(
            f"the data set {hub_id!r} has no file or folder {part!r}. Give a file, a folder, a split or a pattern of "
            f"its files, such as {hub_id}:data/test-*.parquet"
        )
    return path


def _files_of_split(split: str) -> list[str]:
    return [f"{folder}{split}{rest}" for folder in ("", "*/") for rest in ("-*", ".*", "/*")]


def _split_in(snapshot: Path, hub_id: str, split: str) -> Path:
    """The shards, the file or the folder of the split. Raises TaskError unless it is there, in one configuration."""
    files = [file for file in snapshot.rglob("*") if file.name.lower().endswith(SUFFIXES)]
    places = {file.parent / f"{split}-*" for file in files if file.name.startswith(f"{split}-")}
    places |= {file for file in files if file.name.partition(".")[0] == split}
    places |= {file.parent for file in files if file.parent.name == split and file.parent != snapshot}
    if len(places) == 1:
        return places.pop()
    names = [f"  {hub_id}:{place.relative_to(snapshot).as_posix()}" for place in sorted(places)]
    if not names:
        raise TaskError(
            f"the data set {hub_id!r} has no files of a split {split!r}. Give a file, a folder or a pattern of its "
            f"files, such as {hub_id}:data/test-*.parquet"
        )
    raise TaskError("\n".join([f"the data set {hub_id!r} has the split {split!r} several times; give one:", *names]))


def prepared(
    hub_id: str, formats: Sequence[str] = (), tell: Tell = lambda line: None, files: Sequence[str] = ()
) -> Prepared:
    """The data set "owner/name", fetched unless it exists and prepared unless it is sound; see `prepare`.

    `files`: patterns of the files to fetch, for a repository that holds several sets.
    """
    folder, done = _folder_of(hub_id, formats, tell, files)
    return done or prepare(folder, formats, tell)


def home_of(hub_id: str, files: Sequence[str] = ()) -> Path:
    """The folder of the data set "owner/name", or of some of its files, whether it was fetched or not."""
    chosen = "".join(f"--{pattern.replace('/', '--')}" for pattern in files)
    return data_home() / f"{hub_id.replace('/', '--')}{chosen}"


def _folder_of(
    hub_id: str, formats: Sequence[str], tell: Tell, files: Sequence[str] = ()
) -> tuple[Path, Prepared | None]:
    """The data set's folder, and the result of preparing it if it was fetched now."""
    folder = home_of(hub_id, files)
    if (folder / INDEX_NAME).is_file():
        return folder, None
    snapshot_download = _downloader(hub_id)
    from filelock import FileLock  # huggingface_hub needs it, too

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # the processes of one training run request it at the same time
            if (folder / INDEX_NAME).is_file():
                return folder, None
            tell(f"fetching {hub_id}")
            patterns = files or _FETCHED
            _copy_into(_download(snapshot_download, hub_id, patterns), folder, patterns)
            return folder, prepare(folder, formats, tell)
    except OSError as error:
        raise TaskError(
            f"cannot write to {folder}: {error}. Set PIXEL_ENV_DATA to a folder that you may write."
        ) from error


def _downloader(hub_id: str) -> Callable[..., str]:
    """What fetches files of the hub. Raises MissingExtraError."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtraError.needs(f"the data set {hub_id!r} of the hub (no path has this name)", "data") from error
    return snapshot_download


def _download(snapshot_download: Callable[..., str], hub_id: str, patterns: Sequence[str]) -> Path:
    try:
        return Path(snapshot_download(hub_id, repo_type="dataset", allow_patterns=list(patterns)))
    except Exception as error:  # the hub's errors have no common base class, and network errors are passed on
        raise TaskError(_unfetched(hub_id, error)) from error


def _unfetched(hub_id: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return (
        f"there is no path {hub_id!r}, and no data set of this name could be fetched from the hub: {reason} "
        "Set HF_ENDPOINT to a mirror, or download its files and run: pixel-env data prepare NAME --from FOLDER"
    )


def _copy_into(snapshot: Path, folder: Path, patterns: Sequence[str]) -> None:
    """Copies or hard-links the files that were asked for: the cache also keeps what others fetched, and is not ours."""
    for file in sorted(snapshot.rglob("*")):
        name = file.relative_to(snapshot)
        target = folder / name
        is_wanted = any(fnmatch(name.as_posix(), pattern) for pattern in patterns)
        if not is_wanted or not file.is_file() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.part")
        unfinished.unlink(missing_ok=True)
        try:
            os.link(os.path.realpath(file), unfinished)
        except OSError:  # another file system
            shutil.copyfile(file, unfinished)
        os.replace(unfinished, target)
