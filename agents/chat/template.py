"""The strings that a processor's chat template writes around texts and images, read from the template itself.

Rendering a conversation of known texts gives the headers, end tokens and image placeholders; a second one checks them.
Depends on rendered texts; independent of ids, dialects and pixels.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.errors import ConfigError

Message = Mapping[str, Any]
Render = Callable[[Sequence[Message]], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """The strings that a template writes around texts. `bare_head`: before the question if there is no system text.

    `user_to_assistant` ends with the header of the turn to generate, and with `opens`, which the template writes there
    alone: "<think>\\n" of a model that begins every turn with a thought. What is generated is kept as it was, so the
    conversation only ever grows; the template itself would drop earlier thoughts.
    """

    head: str
    system_to_user: str
    bare_head: str
    user_to_assistant: str
    assistant_to_user: str
    image: str
    opens: str = ""

    def user_turn(self, parts: Sequence[str | None], video_frames: int = 0, video: str = "") -> list[str]:
        """Strings of the frame and texts in turn, beginning and ending with one of the frame.

        `parts`: the texts of the message, and None for each image. The first `video_frames` images are one video entry,
        which stands where the first of them does.
        """
        pieces, image = [""], 0
        for part in parts:
            if part is not None:
                pieces += [part, ""]
                continue
            if image >= video_frames:
                pieces[-1] += self.image
            elif image == 0:
                pieces[-1] += video
            image += 1
        if len(pieces) == 1:
            pieces += ["", ""]
        pieces[-1] += self.user_to_assistant
        return pieces


def read_frame(render: Render, *, interleaves: bool = False) -> Frame:
    """The frame of the template that `render` uses. Raises ConfigError for one whose turns depend on later ones.

    `interleaves`: messages have images between or after their texts, so the template must keep that order.
    """
    try:
        one, three = _user("ONE"), _user("THREE")
        whole = render([_system("SYS"), one, _assistant("TWO"), three])
        head, system_to_user, user_to_assistant, assistant_to_user, tail = re.split("SYS|ONE|TWO|THREE", whole)
        bare_head, bare_tail = render([one]).split("ONE")
        with_image = render([_user(None, "ONE")])
        image = with_image.removeprefix(bare_head).removesuffix(bare_tail).replace("ONE", "")
    except ValueError as error:
        raise _unusable("it drops or repeats a text") from error
    if not tail.startswith(user_to_assistant) or tail != bare_tail or not image or not assistant_to_user:
        raise _unusable("what it writes around a turn depends on later turns")
    opens = tail.removeprefix(user_to_assistant)
    frame = Frame(head, system_to_user, bare_head, tail, assistant_to_user, image, opens)
    _check(frame, render, ((None, None, "What is it?"), (None, "Closer:")))
    if interleaves:
        _check(frame, render, (("What is ", None, "it?", None), ("Closer:", None)))
    return frame


def read_video_mark(render: Render, frame: Frame) -> str:
    """What the template writes for a video, "" if nothing."""
    rendered = render([{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "ONE"}]}])
    return rendered.removeprefix(frame.bare_head).removesuffix(frame.user_to_assistant).replace("ONE", "")


def _check(frame: Frame, render: Render, turns: Sequence[Sequence[str | None]]) -> None:
    """The frame must give what the template renders of a conversation with these two turns. Raises ConfigError."""
    first, second = ("".join(frame.user_turn(parts)) for parts in turns)
    # A template that opens thoughts writes its opening only before the turn to generate.
    before = first.removesuffix(frame.opens) if frame.opens else first
    glued = f"{frame.head}Be brief.{frame.system_to_user}{before}Let me look.{frame.assistant_to_user}{second}"
    if glued != render([_system("Be brief."), _user(*turns[0]), _assistant("Let me look."), _user(*turns[1])]):
        raise _unusable("a conversation of two turns is not the first turn plus the second")


def _unusable(reason: str) -> ConfigError:
    return ConfigError(
        f"the processor's chat template cannot be rendered turn by turn: {reason}. "
        "Set processor.chat_template to a template that writes every turn independently of what follows."
    )


def renderer(processor: Any) -> Render:
    """A function that renders messages with the processor's own template, up to the header of the next answer."""
    return lambda messages: processor.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)


def _system(text: str) -> Message:
    return {"role": "system", "content": [{"type": "text", "text": text}]}


def _assistant(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def _user(*parts: str | None) -> Message:
    """A message of texts, and None for each image."""
    return {
        "role": "user",
        "content": [{"type": "image"} if part is None else {"type": "text", "text": part} for part in parts],
    }
