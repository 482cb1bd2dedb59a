r"""verl's rows of tasks: `prompt`, `images`, `reward_model.ground_truth` and `extra_info`.

    {"data_source": "...", "prompt": [{"role": "user", "content": "<image>What ...?"}], "images": [{"bytes": ...}],
     "ability": "vision", "reward_model": {"style": "rule", "ground_truth": "B"}, "extra_info": {...}}

A parquet file holds the bytes of the images, which verl reads wherever the file lies; a JSON file has
`{"image": PATH}`. Frames of a video are images. Source: verl/utils/dataset/rl_dataset.py and vision_utils.py, and
examples/data_preprocess/geo3k.py, as in Visual-Agent/DeepEyes at 6c5e796. Depends on conversations and tasks;
independent of files.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from agents.traces.trace import Trace
from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.errors import TaskError
from pixel_env.task import Task
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.forms.form import Row, RowForm, images_of
from synth.conversion.forms.sharegpt import IMAGE


def _rows_of(trace: Trace, conversation: Conversation) -> list[Row]:
    task = trace.task
    opening = tuple(itertools.takewhile(lambda one: one.role != "assistant", conversation.messages))
    extra = {
        "index": task.task_id,
        "question": _asked(task),
        "answer": task.answers[0] if task.answers else "",
        "answers": list(task.answers),
        "grader": task.grader,
        "category": task.category,
        "media": task.media,
    }
    row = {
        "data_source": task.category or "pixel_env",
        "prompt": [{"role": one.role, "content": _text(one)} for one in opening],
        "images": [{"image": name} for name in images_of(Conversation("", opening))],
        "ability": "vision" if task.sources else "text",
        "reward_model": {"style": "rule", "ground_truth": task.answers[0] if task.answers else ""},
        "extra_info": extra,
    }
    return [row]


def _asked(task: Task) -> str:
    """The question with its options, as readers of such rows take them from it."""
    options = [f"({letter}) {text}" for letter, text in zip(OPTION_LETTERS, task.options, strict=False)]
    return "\n".join([task.question, *options])


def _text(message: Message) -> str:
    """The text with a mark for each image: verl puts a placeholder of the chat template there."""
    texts = []
    for part in message.parts:
        if isinstance(part, Images):
            texts.append(IMAGE * len(part.files))
        elif IMAGE in part or "<video>" in part:
            raise TaskError(f"a text holds {IMAGE} or <video>, which verl takes for an image; reword it")
        else:
            texts.append(part)
    return "".join(texts)


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return "reward_model" in values and "prompt" in values


VERL = RowForm(
    name="verl",
    about="rows of tasks for verl: prompt, images, reward_model, extra_info",
    source="Visual-Agent/DeepEyes, verl/utils/dataset/rl_dataset.py and examples/data_preprocess/geo3k.py",
    is_verified=True,
    recognises=_recognises,
    rows_of=_rows_of,
    no_turns="its rows are tasks without turns; give the file as --tasks of eval, grpo or synth",
    lost=(
        "all turns, and so masks, mistakes and kinds",
        "that frames are a video",
        "evidence",
        "answers after the first, for verl's own reward",
    ),
    is_of_tasks=True,
    images="images",
)
