"""The strings that a processor's chat template writes around texts and images, read from the template itself.

Rendering a conversation of known texts gives the headers, end tokens and image placeholders; a second one checks them.
Depends on rendered texts; independent of ids, dialects and pixels.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.errors import ConfigError

Message = Mapping[str, Any]
Render = Callable[[Sequence[Message]], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """The strings that a template writes around texts. `bare_head`: before the question if there is no system text."""

    head: str
    system_to_user: str
    bare_head: str
    user_to_assistant: str
    assistant_to_user: str
    image: str
    images_first: bool

    def user_turn(self, images: int, video: str = "") -> tuple[str, str]:
        """The strings before and after the text of a user turn with so many images, which follow `video` if any."""
        media = video + self.image * images
        return (media, self.user_to_assistant) if self.images_first else ("", media + self.user_to_assistant)


def read_frame(render: Render, *, images_first: bool) -> Frame:
    """The frame of the template that `render` uses. Raises ConfigError for one whose turns depend on later ones."""
    try:
        one, three = _user("ONE", 0, images_first), _user("THREE", 0, images_first)
        whole = render([_system("SYS"), one, _assistant("TWO"), three])
        head, system_to_user, user_to_assistant, assistant_to_user, tail = re.split("SYS|ONE|TWO|THREE", whole)
        bare_head, bare_tail = render([one]).split("ONE")
        with_image = render([_user("ONE", 1, images_first)])
        image = with_image.removeprefix(bare_head).removesuffix(bare_tail).replace("ONE", "")
    except ValueError as error:
        raise _unusable("it drops or repeats a text") from error
    frame = Frame(head, system_to_user, bare_head, user_to_assistant, assistant_to_user, image, images_first)
    if not user_to_assistant == tail == bare_tail or not image or not assistant_to_user:
        raise _unusable("what it writes around a turn depends on later turns")
    _check(frame, render)
    return frame


def read_video_mark(render: Render, frame: Frame) -> str:
    """What the template writes for a video, "" if nothing."""
    words, video = {"type": "text", "text": "ONE"}, {"type": "video"}
    rendered = render([{"role": "user", "content": [video, words] if frame.images_first else [words, video]}])
    return rendered.removeprefix(frame.bare_head).removesuffix(frame.user_to_assistant).replace("ONE", "")


def _check(frame: Frame, render: Render) -> None:
    """The frame must give what the template renders of a conversation with images in two turns. Raises ConfigError."""
    (before, after), (before_second, after_second) = frame.user_turn(2), frame.user_turn(1)
    glued = (
        f"{frame.head}Be brief.{frame.system_to_user}{before}What is it?{after}"
        f"Let me look.{frame.assistant_to_user}{before_second}Closer:{after_second}"
    )
    images_first = frame.images_first
    messages = [_system("Be brief."), _user("What is it?", 2, images_first), _assistant("Let me look.")]
    if glued != render([*messages, _user("Closer:", 1, images_first)]):
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


def _user(text: str, images: int, images_first: bool) -> Message:
    media: Iterable[Mapping[str, str]] = [{"type": "image"}] * images
    words = {"type": "text", "text": text}
    return {"role": "user", "content": [*media, words] if images_first else [words, *media]}
