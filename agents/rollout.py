"""The one core loop: plays environments with an engine.

Training, evaluation, synthesis checks and the demo all use `rollout`. It concatenates token ids as they were sampled
and never tokenizes them again. Depends on environments and on the protocols `Engine` and `ChatFormat`; independent of
model libraries (torch is not imported here), of rewards other than the environment's, and of wire formats.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue

import numpy as np

from agents.chat.format import ChatFormat
from agents.engines.protocol import NO_TRUNCATION, Engine, Request, Response, Truncation
from pixel_env.dialects.dialect import Dialect
from pixel_env.env import PixelEnv
from pixel_env.episode import Limits, Observation, Prompt, Stop, Trajectory, Unfinished
from pixel_env.errors import USER_MISTAKES
from pixel_env.interventions import Intervention, unchanged
from pixel_env.seeding import seed_of
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets


@dataclass(frozen=True, slots=True)
class Sampling:
    """How turns are sampled: temperature 0 is greedy; `banned_ids` are added to those that the chat format bans.

    `truncation`: which tokens can be sampled, for evaluation alone.
    """

    temperature: float = 1.0
    max_turn_tokens: int = 512
    banned_ids: frozenset[int] = frozenset()
    truncation: Truncation = NO_TRUNCATION


@dataclass(frozen=True, slots=True)
class EpisodeSettings:
    """The settings that all episodes of a rollout share."""

    dialect: Dialect
    limits: Limits
    budgets: ViewBudgets
    intervention: Intervention = unchanged


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """An episode with its tokens.

    Args:
        trajectory: The episode without tokens.
        prompt_ids: The opening prompt; empty for an episode that failed before it.
        completion_ids: Everything after the opening prompt.
        sampled: One entry per completion id; False for what the model did not sample (observations, headers, forced
            turns).
        logprobs: One entry per completion id; 0.0 where `sampled` is False.
        index: Index in the list of tasks.
        views: The images whose placeholders the ids contain, in order. Those of an observation that ended the episode
            are in the trajectory but not here.
        video_frames: The first `video_frames` views are the prompt's one video entry.
    """

    trajectory: Trajectory
    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    sampled: tuple[bool, ...]
    logprobs: tuple[float, ...]
    index: int
    views: tuple[View, ...] = ()
    video_frames: int = 0


def rollout(
    tasks: Sequence[Task],
    engine: Engine,
    chat: ChatFormat,
    *,
    settings: EpisodeSettings,
    sampling: Sampling,
    seed: int,
    forced: Callable[[Task], Sequence[str]] | None = None,
    on_finish: Callable[[Rollout], None] | None = None,
    max_live: int = 256,
) -> list[Rollout]:
    """Play one episode of each task (the same task may come several times); results in the order of `tasks`.

    `forced(task)`: scripted first turns, for an oracle or a random policy; called in the episodes' threads, in any
    order. `on_finish` is called in this thread for each episode as it ends. At most `max_live` episodes hold images
    at a time. What is sampled depends on `seed`, the task's id and how often the task occurred before, not on timing.
    Raises errors of the user's (`USER_MISTAKES`); any other error in an episode ends only that episode, as
    `Stop.FAILED`.
    """
    pending = deque(_episodes(tasks, chat, settings, sampling, seed, forced))
    results: dict[int, Rollout] = {}
    waiting: dict[int, _Episode] = {}
    running: dict[Future[Request | None], _Episode] = {}
    done: SimpleQueue[Future[Request | None]] = SimpleQueue()

    def start(episode: _Episode, turn: Callable[[], Request | None]) -> None:
        future = pool.submit(turn)
        running[future] = episode
        future.add_done_callback(done.put)

    with ThreadPoolExecutor(thread_name_prefix="episode") as pool, _cancelled_on_error(engine):
        while len(results) < len(tasks):
            while pending and len(waiting) + len(running) < max_live:
                episode = pending.popleft()
                start(episode, episode.begin)
            for future in _operations_done(running, done, block=not waiting, everything=engine.static):
                episode = running.pop(future)
                if (request := future.result()) is not None:
                    waiting[request.request_id] = episode
                    engine.submit(request)
                    continue
                results[episode.index] = episode.result()
                if on_finish is not None:
                    on_finish(results[episode.index])
            if engine.static and pending and len(waiting) < max_live:
                continue  # fill the batch before it is generated
            responses = engine.poll() if waiting else []
            if (lost := len(waiting) - len(responses) - engine.in_flight) > 0:
                raise RuntimeError(f"the engine lost {lost} requests: it neither answers them nor has them in flight")
            for response in responses:
                episode = waiting.pop(response.request_id)
                start(episode, partial(episode.take, response))
    return [results[index] for index in range(len(tasks))]


@contextmanager
def _cancelled_on_error(engine: Engine) -> Iterator[None]:
    """Leaves nothing in flight after an exception: a later rollout numbers its requests from 0 again."""
    try:
        yield
    except BaseException:
        engine.cancel()
        raise


def _operations_done(
    running: "dict[Future[Request | None], _Episode]",
    done: "SimpleQueue[Future[Request | None]]",
    *,
    block: bool,
    everything: bool,
) -> "list[Future[Request | None]]":
    """Finished futures in the order of their episodes: all, or those done by now; `block` waits for at least one."""
    # Not concurrent.futures.wait, which locks every running future to find the one that is done.
    awaited = len(running) if everything else min(len(running), int(block))
    futures = [done.get() for _ in range(awaited)]
    while not done.empty():
        futures.append(done.get())
    return sorted(futures, key=lambda future: running[future].index)


def _episodes(
    tasks: Sequence[Task],
    chat: ChatFormat,
    settings: EpisodeSettings,
    sampling: Sampling,
    seed: int,
    forced: Callable[[Task], Sequence[str]] | None,
) -> "Iterator[_Episode]":
    times_seen: dict[str, int] = {}
    for index, task in enumerate(tasks):
        occurrence = times_seen.get(task.task_id, 0)
        times_seen[task.task_id] = occurrence + 1
        seed_text = f"{seed}/{task.task_id}/{occurrence}"
        yield _Episode(task, index, len(tasks), chat, settings, sampling, seed_text, forced)


@dataclass(eq=False)
class _Episode:
    """A running episode. `begin` and `take` run in the thread pool and return the next request, None at the end."""

    task: Task
    index: int
    stride: int
    chat: ChatFormat
    settings: EpisodeSettings
    sampling: Sampling
    seed_text: str
    forced: Callable[[Task], Sequence[str]] | None
    env: PixelEnv | None = None
    prompt_ids: tuple[int, ...] = ()
    ids: list[int] = field(default_factory=list)
    sampled: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    requests: int = 0
    error: str | None = None
    out_of_tokens: bool = False
    opening: str = ""

    def begin(self) -> Request | None:
        """Reset the environment and play the forced turns."""
        try:
            settings = self.settings
            self.env = PixelEnv(
                [self.task],
                dialect=settings.dialect,
                budgets=settings.budgets,
                limits=settings.limits,
                count_tokens=self._count_tokens,
                intervention=settings.intervention,
                share_images=True,
            )
            observation, _ = self.env.reset(options={"task_id": self.task.task_id})
            self.images += observation["images"]
            prompt, images = self.env.trajectory.prompt, observation["images"]
            self.prompt_ids = self.chat.open(prompt, images, video_frames=self._video_frames)
            if self._tokens_left() <= len(self._prefill()):
                self.out_of_tokens = True
                return None
            self._begin_turn()
            for text in self.forced(self.task) if self.forced is not None else ():
                said = text.removeprefix(self.opening)
                ids = self.chat.encode(said)
                # A format that opens a thought closes it in a turn that has none.
                said = self.chat.decode(ids) if self.chat.opens else said
                if self._step(ids, [0.0] * len(ids), self.opening + said, sampled=False):
                    return None
            return self._request()
        except USER_MISTAKES:
            raise
        except Exception as error:  # an episode that raises is data: the others continue
            self.error = f"{type(error).__name__}: {error}"
            return None

    def take(self, response: Response) -> Request | None:
        """Play the turn that the engine generated."""
        try:
            if response.error is not None:
                raise RuntimeError(response.error)
            if response.out_of_tokens:
                self.out_of_tokens = True
                return None
            if banned := [id for id in response.token_ids if id in self.chat.banned_ids]:
                # A sampled placeholder has no image: in training it would shift the images of all later placeholders.
                raise RuntimeError(f"the engine sampled {len(banned)} banned tokens: {sorted(set(banned))}")
            text = self.chat.decode(response.token_ids)
            text = self.opening + text
            text = text if response.ended else Unfinished(text)
            if self._step(response.token_ids, response.logprobs, text, sampled=True):
                return None
            return self._request()
        except USER_MISTAKES:
            raise
        except Exception as error:  # see begin()
            self.error = f"{type(error).__name__}: {error}"
            return None

    def result(self) -> Rollout:
        """The episode so far."""
        trajectory = self._trajectory()
        return Rollout(
            trajectory=trajectory,
            prompt_ids=self.prompt_ids,
            completion_ids=tuple(self.ids),
            sampled=tuple(self.sampled),
            logprobs=tuple(self.logprobs),
            index=self.index,
            views=trajectory.views[: len(self.images)] if self.prompt_ids else (),
            video_frames=self._video_frames if self.prompt_ids else 0,
        )

    @property
    def _video_frames(self) -> int:
        return len(self.task.sources) if self.chat.video_entry and self.task.media == "video" else 0

    def _count_tokens(self, text: str, sizes: Sequence[tuple[int, int]]) -> int:
        # Before there is a prompt, the environment counts the prompt itself: the only turn that may hold a video entry.
        video_frames = 0 if self.prompt_ids else self._video_frames
        return self.chat.count_tokens(text, sizes, video_frames=video_frames)

    def _step(self, ids: Sequence[int], logprobs: Sequence[float], text: str, *, sampled: bool) -> bool:
        """Append the turn, step, append the observation. True if the episode is over."""
        assert self.env is not None
        self._append(ids, logprobs, sampled=sampled)
        observation, _, terminated, truncated, _ = self.env.step(text)
        if terminated or truncated:
            return True
        return not self._observe(observation, is_unfinished=isinstance(text, Unfinished))

    def _observe(self, observation: Observation, *, is_unfinished: bool) -> bool:
        """Append the observation; False if it would leave no token for an answer."""
        text, images = observation["text"], observation["images"]
        if is_unfinished and not text and not images:  # a truncated turn is continued: nothing stands in between
            self.opening = ""
            return True
        # A turn that a stop text ended lacks its end token.
        has_end = bool(self.ids) and self.ids[-1] == self.chat.end_id
        ids = self.chat.reply(text, images, ended=has_end)
        if self._tokens_left() <= len(ids) + len(self._prefill()):
            self.out_of_tokens = True
            return False
        self.images += images
        self._append(ids, [0.0] * len(ids), sampled=False)
        self._begin_turn()
        return True

    def _begin_turn(self) -> None:
        """Append the beginning of the next turn that the dialect gives, and keep the text that it opens with."""
        assert self.env is not None
        ids = self._prefill()
        self._append(ids, [0.0] * len(ids), sampled=False)
        self.opening = self.chat.opens + self.env.prefill

    def _prefill(self) -> tuple[int, ...]:
        """The ids of the beginning of the next turn that the dialect gives."""
        assert self.env is not None
        return self.chat.fragment(self.env.prefill) if self.env.prefill else ()

    def _append(self, ids: Sequence[int], logprobs: Sequence[float], *, sampled: bool) -> None:
        self.ids += ids
        self.sampled += [sampled] * len(ids)
        self.logprobs += logprobs

    def _tokens_left(self) -> int:
        limit = self.settings.limits.max_tokens
        return 2**31 if limit is None else limit - len(self.prompt_ids) - len(self.ids)

    def _request(self) -> Request | None:
        """The next turn to generate, or None if no token is left for it."""
        if self._tokens_left() < 1:
            self.out_of_tokens = True
            return None
        turn, self.requests = self.requests, self.requests + 1
        return Request(
            request_id=turn * self.stride + self.index,
            prompt_ids=self.prompt_ids + tuple(self.ids),
            images=tuple(self.images),
            max_new_tokens=min(self.sampling.max_turn_tokens, self._tokens_left()),
            temperature=self.sampling.temperature,
            seed=seed_of(f"{self.seed_text}/{turn}"),
            banned_ids=self.chat.banned_ids | self.sampling.banned_ids,
            video_frames=self._video_frames,
            stop=self.settings.dialect.stop,
            truncation=self.sampling.truncation,
            opening=self.opening,
        )

    def _trajectory(self) -> Trajectory:
        if self.env is None or not self.prompt_ids:
            return Trajectory(self.task, Prompt("", ""), (), stop=Stop.FAILED, error=self.error)
        if self.error is not None:
            return replace(self.env.trajectory, stop=Stop.FAILED, error=self.error, reward=0.0)
        if self.out_of_tokens:
            return replace(self.env.trajectory, stop=Stop.TOKENS)
        return self.env.trajectory
