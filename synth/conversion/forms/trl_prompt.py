"""TRL's `prompt` and `completion` with `images`: one row for each turn that is trained.

    {"id": "...", "prompt": [...messages up to the turn...], "completion": [{"role": "assistant", ...}],
     "images": ["images/1.jpg"]}

TRL trains the completion alone, and takes images in the prompt alone; so a turn that is not trained has no row, and the
mask needs no template. Rows of one `id` whose messages begin another row are parts of it. Source: TRL's
`DataCollatorForVisionLanguageModeling` (trl/trainer/sft_trainer.py). Depends on conversations; independent of files.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.traces.trace import Trace
from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation
from synth.conversion.forms.form import Row, RowForm, images_of, note_in, with_note
from synth.conversion.forms.trl import message_row, messages_in


def _rows_of(trace: Trace, conversation: Conversation) -> list[Row]:
    positions = [index for index, message in enumerate(conversation.messages) if message.role == "assistant"]
    rows = []
    for index, turn in zip(positions, trace.turns, strict=True):
        if turn.train:
            before = replace(conversation, messages=conversation.messages[:index])
            row = {
                "id": conversation.name,
                "prompt": [message_row(message) for message in before.messages],
                "completion": [message_row(conversation.messages[index])],
                "images": images_of(before),
            }
            rows.append(with_note(row, conversation))
    return rows


def _conversation_of(row: Mapping[str, Any]) -> Conversation:
    prompt, completion = row["prompt"], row["completion"]
    if not isinstance(prompt, list) or not isinstance(completion, list):
        raise TaskError("its 'prompt' and 'completion' are not lists of messages")
    return Conversation(str(row.get("id") or ""), messages_in([*prompt, *completion], row.get("images")), note_in(row))


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return "prompt" in values and "completion" in values


def _part_of(row: Mapping[str, Any]) -> str:
    return str(row.get("id") or "")


TRL_PROMPT = RowForm(
    name="trl_prompt",
    about="prompt, completion and images for TRL's SFTTrainer, one row for each trained turn",
    source="huggingface/trl, trl/trainer/sft_trainer.py, DataCollatorForVisionLanguageModeling",
    is_verified=True,
    recognises=_recognises,
    rows_of=_rows_of,
    conversation_of=_conversation_of,
    lost=("that rows belong to one episode", "that frames are a video", "kinds", "evidence"),
    images="images",
    part_of=_part_of,
    trains_last_turn=True,
)
