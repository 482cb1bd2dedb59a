"""Replicas of vLLM's server: which of them are alive, and that each holds the weights that it should.

Knows vLLM's HTTP interface for health, weights and caches. Knows nothing of requests. Everything here runs in the event
loop of whoever owns it; several processes may look after the same replicas.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

WATCH_S = 2.0
"""A replica is looked at this often: less than a server takes to start, so that none restarts unseen."""
_PATIENCE_OF_A_LOOK_S = 10.0
_LOOKS_MISSED = 3
_RESETS = 20


class ReplicaError(Exception):
    """A replica did not answer, or not with an answer: somebody else has to."""


class RefusedError(Exception):
    """A replica answered that it will not do this: another one would not either."""


@dataclass(eq=False)
class Replica:
    """One server. `alive`: it answers and holds the wanted weights; `weights`: what was wanted when it was checked."""

    url: str
    alive: bool = False
    running: int = 0
    error: str = "not looked at yet"
    missed: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Replicas:
    """Looks after the servers at `urls`. `weights`: the folder of the checkpoint that they must hold, None for any."""

    def __init__(self, urls: list[str], client: httpx.AsyncClient) -> None:
        self.all = [Replica(url.rstrip("/")) for url in urls]
        self.weights: str | None = None
        self._client = client

    async def watch(self) -> None:
        """Look at every replica again and again."""
        await asyncio.gather(*(self._watch_one(replica) for replica in self.all))

    async def use_weights(self, folder: str, patience_s: float) -> str | None:
        """Have the replicas hold the checkpoint in `folder`. Returns None as soon as one does, else what went wrong.

        The others follow: none serves before it holds it.
        """
        self.weights = folder
        for replica in self.all:
            replica.alive, replica.error = False, "not looked at since the weights changed"
        looks = [asyncio.create_task(self.look_at(replica)) for replica in self.all]
        await asyncio.wait(looks, timeout=patience_s)
        end = asyncio.get_running_loop().time() + patience_s
        while not any(replica.alive for replica in self.all) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.2)
        if any(replica.alive for replica in self.all):
            return None
        return "; ".join(f"{replica.url}: {replica.error}" for replica in self.all)

    async def look_at(self, replica: Replica) -> None:
        """Whether the replica answers; if it does and holds other weights, it is given the wanted ones."""
        async with replica.lock:
            try:
                await self._get(replica, "/health")
                if not replica.alive and self.weights is not None:
                    await self._renewed(replica, self.weights)
            except (ReplicaError, RefusedError) as error:
                replica.missed += 1
                replica.error = str(error)
                if not isinstance(error.__cause__, httpx.TimeoutException) or replica.missed >= _LOOKS_MISSED:
                    replica.alive = False
            else:
                replica.alive, replica.missed = True, 0

    async def post(self, replica: Replica, path: str, body: Any, timeout_s: float | None = None) -> Any:
        """The answer's JSON. Raises ReplicaError if there is none, RefusedError if the server refuses the request."""
        try:
            answer = await self._client.post(
                replica.url + path, json=body, timeout=httpx.Timeout(timeout_s, connect=60.0)
            )
        except httpx.HTTPError as error:
            raise ReplicaError(f"{type(error).__name__} {error}") from error
        if answer.status_code >= 400:
            raise RefusedError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    async def _watch_one(self, replica: Replica) -> None:
        while True:
            await self.look_at(replica)
            await asyncio.sleep(WATCH_S)

    async def _get(self, replica: Replica, path: str) -> None:
        try:
            (await self._client.get(replica.url + path, timeout=_PATIENCE_OF_A_LOOK_S)).raise_for_status()
        except httpx.HTTPError as error:
            raise ReplicaError(f"{type(error).__name__} {error}") from error

    async def _renewed(self, replica: Replica, folder: str) -> None:
        """Loads the checkpoint, empties what was computed with the old one, and only then says that it is held."""
        if await self._call(replica, "held_weights") == folder:
            return
        await self._call(replica, "renew_weights", weights_path=folder)
        for cache in ("prefix", "encoder"):
            await self._reset(replica, cache)
        await self._call(replica, "confirm_weights", weights_path=folder)

    async def _reset(self, replica: Replica, cache: str) -> None:
        for _ in range(_RESETS):
            answer = await self.post(replica, f"/reset_{cache}_cache", None)
            if not (isinstance(answer, dict) and answer.get("success") is False):
                return
            await asyncio.sleep(0.1)  # somebody's request still holds blocks
        raise ReplicaError(f"its {cache} cache cannot be reset")

    async def _call(self, replica: Replica, method: str, **kwargs: str) -> Any:
        answer = await self.post(replica, "/collective_rpc", {"method": method, "kwargs": kwargs})
        return answer["results"][0] if answer else None
