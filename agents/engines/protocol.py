"""The protocol of engines: submit requests, poll responses. `queued.py` and `remote.py` are bases for your own engine.

Depends on numpy alone; independent of chat templates, environments, rewards and model libraries.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One turn to generate.

    `prompt_ids`: the conversation so far, each image's placeholder already repeated once per image token;
    `images`: uint8 (height, width, 3), in order, as shown; `video_frames`: the first `video_frames` images are the
    frames of the prompt's one video entry; `temperature`: 0 is greedy; `seed`: this request's own, so that what is
    sampled does not depend on which requests share a batch; `banned_ids`: never sampled, their logits are minus
    infinity before the softmax.
    """

    request_id: int
    prompt_ids: tuple[int, ...]
    images: tuple[np.ndarray, ...]
    max_new_tokens: int
    temperature: float
    seed: int
    banned_ids: frozenset[int] = frozenset()
    video_frames: int = 0

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
    False if `max_new_tokens` truncated the turn; `error`: set if the engine could not serve the request, and then there
    are no tokens.
    """

    request_id: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ended: bool
    error: str | None = None


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
