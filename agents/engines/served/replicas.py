"""Replicas of vLLM's server: which of them are alive, and that each serves the current weights.

Depends on vLLM's HTTP interface for health, limits, weights and caches; independent of what requests mean. Everything
here runs in the event loop of its owner; several processes may watch the same replicas.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

WATCH_S = 2.0
"""Seconds between two checks of a replica: less than a server takes to start, so that none restarts unnoticed."""
_CHECK_TIMEOUT_S = 20.0
_MISSED_CHECKS = 3
"""Checks in a row without an answer after which a replica is dead: one minute, as a busy one may need."""
_RESETS = 20


def addresses(text: str) -> list[str]:
    """The addresses of replicas in `text`, separated by commas; a final /v1, which is an endpoint's, is left out."""
    return [part.rstrip("/").removesuffix("/v1") for url in text.split(",") if (part := url.strip())]


class ReplicaError(Exception):
    """A replica did not answer, or not with a valid answer: another one has to."""


class RefusedError(Exception):
    """A replica answered that it will not do this: another one would not either."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A name for weights, and the folder of their checkpoint, as the servers see it; None for what was sent over NCCL.

    The name is not the folder's: that may be written again.
    """

    version: str
    folder: str | None = None


@dataclass(eq=False)
class Replica:
    """One server. `alive`: it answers, has the wanted weights and accepts conversations that are long enough."""

    url: str
    alive: bool = False
    error: str = "not checked yet"
    max_model_len: int | None = None
    missed: int = 0
    under_way: set["asyncio.Task[Any]"] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def die(self, error: str) -> None:
        """Marks the replica as dead and cancels its running requests."""
        self.alive, self.error = False, error
        for task in self.under_way:
            task.cancel()


class Replicas:
    """Watches the servers at `urls`. `weights`: what they must hold, None for whatever they started with.

    `patience_s`: seconds that a change of weights may take and is retried.
    """

    def __init__(self, urls: Sequence[str], client: httpx.AsyncClient, patience_s: float) -> None:
        self.all = [Replica(url.rstrip("/")) for url in urls]
        self.weights: Weights | None = None
        self._shortest = 0
        self._client = client
        self._patience_s = patience_s

    def errors(self) -> str:
        """What is wrong with each replica that is not alive."""
        return "; ".join(f"{replica.url}: {replica.error}" for replica in self.all if not replica.alive)

    async def watch(self) -> None:
        """Check every replica periodically."""
        await asyncio.gather(*(self._watch_one(replica) for replica in self.all))

    async def use_weights(self, weights: Weights) -> bool:
        """Make the replicas load `weights`; False if none does in time.

        Those that are not alive, or cannot load them now, do so later: none serves before it has them.
        """
        wanted = [replica for replica in self.all if replica.alive] or self.all
        self.weights = weights
        for replica in self.all:
            replica.alive, replica.error = False, "not checked since the weights changed"
        return await self._any_alive(wanted)

    async def max_model_len(self) -> int | None:
        """Tokens of the longest conversation that all answering replicas accept; None if none answers in time.

        From then on a replica that accepts less does not count as alive.
        """
        if not await self._any_alive([replica for replica in self.all if not replica.alive]):
            return None
        self._shortest = min(replica.max_model_len or 0 for replica in self.all if replica.alive)
        return self._shortest

    async def check(self, replica: Replica) -> None:
        """Checks whether the replica answers; if it does with other weights, it is made to load the wanted ones."""
        async with replica.lock:
            try:
                await self._get(replica, "/health")
                if not replica.alive:
                    await self._admitted(replica)
            except (ReplicaError, RefusedError) as error:
                replica.missed += 1
                if not isinstance(error.__cause__, httpx.TimeoutException) or replica.missed >= _MISSED_CHECKS:
                    replica.die(str(error))
            else:
                replica.alive, replica.missed, replica.error = True, 0, ""

    async def ask(self, replica: Replica, path: str, body: bytes) -> Any:
        """The answer's JSON, however long it takes, unless the replica dies. Raises as `post` does."""
        try:
            return await self._answered(replica, path, body)
        except ReplicaError as error:
            if not isinstance(error.__cause__, httpx.ConnectTimeout):  # busy is not dead
                replica.alive, replica.error = False, str(error)
            raise

    async def post(self, replica: Replica, path: str, body: bytes = b"", *, timeout_s: float | None) -> Any:
        """The answer's JSON. Raises ReplicaError if there is none, RefusedError if the server refuses the request."""
        try:
            answer = await self._client.post(
                replica.url + path,
                content=body,
                headers={"Content-Type": "application/json"},
                timeout=httpx.Timeout(timeout_s, connect=60.0),
            )
            if answer.status_code >= 400:
                raise RefusedError(f"{path}: {answer.status_code} {answer.text[:500]}")
            return answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise ReplicaError(f"{type(error).__name__} {error}") from error

    async def _answered(self, replica: Replica, path: str, body: bytes) -> Any:
        task = asyncio.ensure_future(self.post(replica, path, body, timeout_s=None))
        replica.under_way.add(task)
        try:
            await asyncio.wait({task})
            if task.cancelled():
                raise ReplicaError(replica.error)
            answer = task.result()
            replica.missed = 0  # a replica that answers is alive, however long its checks wait
            return answer
        except RefusedError:
            await self._get(
                replica, "/health"
            )  # an engine that has died refuses every request: that is no valid answer
            raise
        finally:
            replica.under_way.discard(task)
            task.cancel()

    async def _watch_one(self, replica: Replica) -> None:
        while True:
            await self.check(replica)
            await asyncio.sleep(WATCH_S)

    async def _any_alive(self, replicas: Sequence[Replica]) -> bool:
        """Checks `replicas` once; then waits for any of all to be alive, and returns whether one is."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience_s
        checks = [asyncio.create_task(self.check(replica)) for replica in replicas]
        if checks:
            await asyncio.wait(checks, timeout=self._patience_s)
        while not any(replica.alive for replica in self.all) and clock() < end:
            await asyncio.sleep(0.2)  # `watch` tries again
        return any(replica.alive for replica in self.all)

    async def _admitted(self, replica: Replica) -> None:
        """Raises ReplicaError or RefusedError unless the replica may serve; gives it the wanted weights."""
        models = await self._get(replica, "/v1/models")
        try:
            replica.max_model_len = int(models["data"][0]["max_model_len"])
        except (KeyError, IndexError, TypeError) as error:
            raise RefusedError(
                "/v1/models has no max_model_len. Give the address of a server that `pixel-env serve` started."
            ) from error
        if replica.max_model_len < self._shortest:
            raise RefusedError(
                f"its --max-model-len is {replica.max_model_len}, that of the others {self._shortest}. Make them equal."
            )
        held = None
        while held != self.weights:  # they may change again while they are being loaded
            held = self.weights
            if held is not None:
                await self._renewed(replica, held)

    async def _get(self, replica: Replica, path: str) -> Any:
        try:
            answer = (await self._client.get(replica.url + path, timeout=_CHECK_TIMEOUT_S)).raise_for_status()
            return answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise ReplicaError(f"{type(error).__name__} {error}") from error

    async def _renewed(self, replica: Replica, weights: Weights) -> None:
        """Loads the checkpoint, clears caches of the old one, and only then confirms the version."""
        if set(await self._call(replica, "held_version")) == {weights.version}:
            return
        if weights.folder is not None:
            await self._call(replica, "load_version", version=weights.version, weights_path=weights.folder)
        elif set(await self._call(replica, "loaded_version")) != {weights.version}:
            raise RefusedError("it was started after the current weights were sent, and waits for the next ones")
        for cache in ("prefix", "encoder"):
            await self._reset(replica, cache)
        await self._call(replica, "confirm_version", version=weights.version)

    async def _reset(self, replica: Replica, cache: str) -> None:
        for _ in range(_RESETS):
            answer = await self.post(replica, f"/reset_{cache}_cache", timeout_s=self._patience_s)
            if not (isinstance(answer, dict) and answer.get("success") is False):
                return
            await asyncio.sleep(0.1)  # a request still holds blocks
        raise ReplicaError(f"its {cache} cache cannot be reset")

    async def _call(self, replica: Replica, method: str, **kwargs: str) -> list[Any]:
        """What `method` of each of the replica's workers returns: one for each of its GPUs."""
        body = json.dumps({"method": method, "kwargs": kwargs}).encode()
        answer = await self.post(replica, "/collective_rpc", body, timeout_s=self._patience_s)
        return list(answer["results"]) if answer else [None]
