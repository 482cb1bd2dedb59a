"""A short hash of a checkpoint's weights, by which a run tells whether they are still the same.

Depends on files; independent of what weights mean.
"""

import hashlib
from pathlib import Path

from agents.checkpoints.adapters import base_chain
from agents.checkpoints.names import model_folder

_EDGE_BYTES = 1 << 20


def weights_hash(model: str) -> str:
    """A hash of names, sizes and edges of the weight files; empty for a hub id. Embedded names count.

    Of an adapter: of its own and of its base's, whose id stands for it where it is of the hub.
    """
    chain = base_chain(model_folder(model))
    digest, hashed = hashlib.sha256(), False
    for one in chain:
        files = sorted(Path(one).glob("*.safetensors"))
        hashed = hashed or bool(files)
        for file in files:
            _add(digest, file)
        if not files and len(chain) > 1:
            digest.update(one.encode())
    return digest.hexdigest()[:16] if hashed else ""


def _add(digest: "hashlib._Hash", file: Path) -> None:
    size = file.stat().st_size
    digest.update(f"{file.name} {size} ".encode())
    with file.open("rb") as opened:
        digest.update(opened.read(_EDGE_BYTES))
        opened.seek(max(0, size - _EDGE_BYTES))
        digest.update(opened.read())
