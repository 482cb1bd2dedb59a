"""The cold-start set of Mini-o3 (Mini-o3/Mini-o3-Coldstart-Dataset) as it lies on the hub: parquet in shards.

    {"conversations": "[{\\"from\\": \\"system\\", ...}, ...]", "images": [{"bytes": ..., "path": ...}, ...],
     "image_names": ["original_image.jpg", ...], "data_source": "...", "sample_index": 0, "rollout_index": 0}

`conversations` is a text: ShareGPT's list. Its images are the question's and one for each observation, in order; calls
are `<grounding>` in fractions of a named image. Source: scripts/preprocess_coldstart.py of Mini-o3/Mini-o3 at 8654dbf;
a converter of another project (geo_edit, convert_mini_o3_to_sft.py) says that an episode stands in several rows, each
ending with another of its turns. Such rows are parts of the longest. The rows themselves were not seen. The JSON file
that the script writes is of the form `sharegpt` (give --row_dialect mini-o3). Depends on conversations; independent of
files.
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation
from synth.conversion.forms.form import RowForm
from synth.conversion.forms.sharegpt import parted

_KEYS = ("data_source", "sample_index", "rollout_index")


def _conversation_of(row: Mapping[str, Any]) -> Conversation:
    name = "-".join(
        str(row[key]) for key in ("data_source", "sample_index", "rollout_index") if row.get(key) is not None
    )
    return Conversation(name, parted(_listed(row["conversations"]), row.get("images"), ()))


def _listed(text: Any) -> Any:
    """The list in a text: JSON, or Python as the published script reads it."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise TaskError("its 'conversations' is neither a list in JSON nor one in Python") from error


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return "image_names" in values and "conversations" in values


def _part_of(row: Mapping[str, Any]) -> str:
    return json.dumps([str(row.get(key)) for key in _KEYS]) if row.get("sample_index") is not None else ""


MINI_O3 = RowForm(
    name="mini-o3",
    about="the cold-start set of Mini-o3, as published",
    source="Mini-o3/Mini-o3, scripts/preprocess_coldstart.py",
    is_verified=False,
    recognises=_recognises,
    conversation_of=_conversation_of,
    images="images",
    dialect="mini-o3",
    part_of=_part_of,
)
