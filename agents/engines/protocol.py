"""The protocol of engines: submit requests, poll responses. `queued.py` and `remote.py` are bases for your own engine.

Depends on numpy and error types; independent of chat templates, environments, rewards and model libraries.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pixel_env.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Truncation:
    """Which tokens can be sampled, and penalties, with the names and the meaning of vLLM's sampling parameters.

    `top_p`: the most probable tokens with this mass; 1: all. `top_k`: that many of the most probable; 0: all.
    `presence_penalty`: subtracted from the logits of tokens that the turn holds already; `repetition_penalty`: divides
    the positive logits of tokens of the conversation, and multiplies the negative ones. Training allows none of them:
    the ratio of GRPO needs the probabilities of the whole distribution.
    """

    top_p: float = 1.0
    top_k: int = 0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.top_p <= 1.0 or self.top_k < 0 or not 0.0 < self.repetition_penalty < math.inf:
            raise ConfigError(
                f"Sampling is truncated by 0 < top_p <= 1, top_k >= 0 (0: all) and repetition_penalty > 0; got {self}."
            )
        if not -2.0 <= self.presence_penalty <= 2.0:
            raise ConfigError(f"presence_penalty is {self.presence_penalty}; give a number from -2 to 2, 0 for none.")


NO_TRUNCATION = Truncation()
"""Every token can be sampled, without penalties."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One turn to generate.

    `prompt_ids`: the conversation so far, each image's placeholder already repeated once per image token;
    `images`: uint8 (height, width, 3), in order, as shown; `video_frames`: the first `video_frames` images are the
    frames of the prompt's one video entry; `temperature`: 0 is greedy; `seed`: this request's own, so that what is
    sampled does not depend on which requests share a batch; `banned_ids`: never sampled, their logits are minus
    infinity before the softmax; `stop`: texts that end the turn once it holds one of them, kept in the turn;
    `truncation`: which tokens can be sampled at all, and the penalties of repeated ones; `opening`: the text that the
    turn begins with already, at the end of `prompt_ids`, which what is generated continues.
    """

    request_id: int
    prompt_ids: tuple[int, ...]
    images: tuple[np.ndarray, ...]
    max_new_tokens: int
    temperature: float
    seed: int
    banned_ids: frozenset[int] = frozenset()
    video_frames: int = 0
    stop: tuple[str, ...] = ()
    truncation: Truncation = NO_TRUNCATION
    opening: str = ""

    @property
    def still_images(self) -> tuple[np.ndarray, ...]:
        """The images that are not frames of the video entry."""
        return self.images[self.video_frames :]

    @property
    def videos(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """The video entry's frames, if there is one."""
        return (self.images[: self.video_frames],) if self.video_frames else ()


@dataclass(frozen=True, slots=True)
class Response:
    """What was sampled for the request of the same id.

    `token_ids`: as sampled, the end-of-turn token included if it was; `logprobs`: natural logarithms, one per token,
    of the distribution that was sampled from (bans and temperature applied; greedy turns: temperature 1); `ended`:
    False if `max_new_tokens` truncated the turn, True after the end-of-turn token or a text of `Request.stop` (then
    without that token, which the chat format adds); `error`: set if the engine could not serve the request, and then
    there are no tokens; `out_of_tokens`: the conversation leaves no room for a turn in the engine's context, so there
    are no tokens, and the episode ends as truncated.
    """

    request_id: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ended: bool
    error: str | None = None
    out_of_tokens: bool = False


class Engine(Protocol):
    """Generates turns, in any order.

    `static`: a poll generates the whole queue in batches, so a caller submits all that it can before it polls.
    `in_flight`: requests that were submitted and whose responses no poll has returned yet.
    """

    static: bool

    @property
    def in_flight(self) -> int: ...

    def submit(self, request: Request) -> None:
        """Queue `request`; returns at once."""
        ...

    def poll(self) -> list[Response]:
        """Responses that have finished since the last call, after one piece of work.

        That is the whole queue for a static engine, one step of its scheduler for one that generates in this process,
        a short wait for one that generates elsewhere: a caller submits what is ready in between. [] if none finished.
        """
        ...

    def cancel(self) -> None:
        """Discard everything in flight: no later poll returns it. For a caller that stops."""
        ...
