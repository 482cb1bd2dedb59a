"""Which weights a result is of: a folder may hold others tomorrow under the same name.

Knows files. Loads no model, and no library that could.
"""

import hashlib
from pathlib import Path

from agents.checkpoints.names import model_folder

_EDGE_BYTES = 2**20


def weights_hash(model: str) -> str:
    """A hash of names, sizes and edges of a checkpoint's weight files; empty for a hub id. Embedded names count."""
    folder = Path(model_folder(model))
    digest = hashlib.sha256()
    files = sorted(folder.glob("*.safetensors"))
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size} ".encode())
        with file.open("rb") as opened:
            digest.update(opened.read(_EDGE_BYTES))
            opened.seek(max(0, size - _EDGE_BYTES))
            digest.update(opened.read())
    return digest.hexdigest()[:16] if files else ""
