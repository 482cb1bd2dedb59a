"""The cold-start set of Chain-of-Focus (xintongzhang/CoF-SFT-Data-5.4k): `cof_sft_data.json` and `images.zip`.

    {"messages": [{"role": "system", "content": "..."}, {"role": "user", "content": "<image> Question: ..."},
                  {"role": "assistant", "content": "<think> ... </think>\\n<tool_call>\\n{...}\\n</tool_call>"}, ...],
     "images": ["./1/0.jpg", "./1/1.jpg"]}

Its layout is LLaMA-Factory's, so it is told by the name of its file; elsewhere give --from cof-sft. Calls are those of
the dialect adaptive-cof. Images lie below `images/` once the archive is unpacked. Source: configs/dataset_info.json of
xtong-zhang/Chain-of-Focus at 638b9ba (tags and columns), and scripts of two other projects that read the file
(`cof_sft_download.py`, `prepare_cof_sft_parse.py`: names of files, order of messages, paths). The rows were not seen.
Depends on conversations; independent of files.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from synth.conversion.forms.form import RowForm
from synth.conversion.forms.sharegpt import SHAREGPT

FILE_NAME = "cof_sft_data.json"


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return file_name == FILE_NAME and "messages" in values


COF_SFT: RowForm = replace(
    SHAREGPT,
    name="cof-sft",
    about="the cold-start set of Chain-of-Focus, as published",
    source="xtong-zhang/Chain-of-Focus, configs/dataset_info.json",
    is_verified=False,
    recognises=_recognises,
    rows_of=None,
    lost=(),
    dialect="adaptive-cof",
    image_folders=("images",),
)
