"""Where the images of a set may be, besides the folder of the set.

Values and paths only. Depends on the layout of the hub's cache; independent of images and rows.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MediaAccess:
    """What the user allows: `media_root`, a folder that rows may name files in, and links may lead to; `follow_links`:
    links within the folder of the set may lead anywhere.

    Task files come from others. Without these, no name in a row reaches a file outside of the set's folder.
    """

    media_root: Path | None = None
    follow_links: bool = False

    def folders_of(self, root: Path) -> tuple[Path, ...]:
        """The folders that names and links may lead to: the set's own, the media root, and that of the hub's cache."""
        more = (self.media_root, _blobs_of(root))
        return (root, *(folder for folder in more if folder is not None))


def _blobs_of(root: Path) -> Path | None:
    """Where the links of a snapshot in the hub's cache lead; None for a folder of any other kind.

    The cache is datasets--OWNER--NAME/snapshots/REVISION/..., whose files are links into datasets--OWNER--NAME/blobs.
    """
    absolute = Path(os.path.abspath(root))
    for folder in (absolute, *absolute.parents):
        repository = folder.parent
        if folder.name == "snapshots" and repository.name.startswith("datasets--") and (repository / "blobs").is_dir():
            return repository / "blobs"
    return None
