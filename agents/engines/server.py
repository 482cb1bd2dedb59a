"""Replicas of `vllm serve` as one engine: token ids in, token ids and log-probabilities out.

`pixel-env serve` starts them. A replica that dies costs its running requests one resubmission; one that comes
back is given the present weights before it serves again. Knows vLLM's HTTP interface and nothing of chat templates
beyond the placeholder of a picture.
"""

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agents.engines.protocol import Request, Response
from agents.engines.wire import FORBIDDEN, collapsed, content_id, data_url
from pixel_env.errors import ConfigError

POLL_S = 0.02
"""How long a poll waits for a response: operations that end meanwhile are submitted that much later at most."""
_RETRY_S = (0.5, 1, 2, 4, 8, 16, 30)


@dataclass(eq=False)
class _Replica:
    url: str
    running: int = 0
    alive: bool = True
    weights: str | None = None


class ReplicaError(Exception):
    """A replica did not answer, or not with an answer: somebody else has to."""


class ServerEngine:
    """Sends every request to the replica with the fewest; `close` it at the end.

    `urls`: of the replicas, without a path; `image_id`, `end_id`: of the chat format; `patience_s`: how long a request
    may wait while no replica is alive, before it fails.
    """

    static = False

    def __init__(self, urls: Sequence[str], *, image_id: int, end_id: int, patience_s: float = 240.0) -> None:
        if not urls:
            raise ConfigError("no server was named; give the address of at least one `vllm serve`")
        self._replicas = [_Replica(url.rstrip("/")) for url in urls]
        self._image_id, self._end_id = image_id, end_id
        self._patience_s = patience_s
        self._finished: queue.SimpleQueue[Response] = queue.SimpleQueue()
        self._in_flight = 0
        self._weights: str | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm-client", daemon=True)
        self._thread.start()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(None, connect=5.0), limits=limits)

    @property
    def in_flight(self) -> int:
        """Requests whose responses no poll has returned yet."""
        return self._in_flight

    def submit(self, request: Request) -> None:
        """Send `request` off; returns at once."""
        self._in_flight += 1
        asyncio.run_coroutine_threadsafe(self._serve(request), self._loop)

    def poll(self) -> list[Response]:
        """What has arrived, after a short wait for the first one."""
        responses: list[Response] = []
        try:
            responses.append(self._finished.get(timeout=POLL_S if self._in_flight else 0))
            while True:
                responses.append(self._finished.get_nowait())
        except queue.Empty:
            pass
        self._in_flight -= len(responses)
        return responses

    def load_weights(self, folder: Path) -> None:
        """Every replica reads the checkpoint in `folder` (on a disk that it sees) and forgets what it had computed.

        Raises RuntimeError while turns are under way, ConfigError if no replica could.
        """
        if self._in_flight:
            raise RuntimeError(f"{self._in_flight} turns are under way; weights change between rollouts only")
        self._weights = str(folder)
        asyncio.run_coroutine_threadsafe(self._renew_all(), self._loop).result()

    def served(self, folder: Path) -> None:
        """Somebody else has loaded the checkpoint in `folder` into all replicas: what one that comes back is given."""
        self._weights = str(folder)

    def close(self) -> None:
        """Ends the connections and the thread that holds them."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    # ------------------------------------------------------------------------------- in the event loop's thread

    async def _serve(self, request: Request) -> None:
        try:
            response = await self._generated(request)
        except Exception as error:  # data, like any episode that breaks: the others go on
            text = f"{type(error).__name__}: {error}"
            response = Response(request.request_id, (), (), ended=True, error=text)
        self._finished.put(response)

    async def _generated(self, request: Request) -> Response:
        body = self._body(request)
        waited = 0.0
        for attempt in range(10**6):
            replica = self._least_busy()
            if replica is not None:
                replica.running += 1
                try:
                    return self._response(request, await self._post(replica, "/inference/v1/generate", body))
                except ReplicaError:
                    replica.alive = False
                    continue  # at once, with another one
                finally:
                    replica.running -= 1
            if waited >= self._patience_s:
                break
            pause = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
            await asyncio.sleep(pause)
            waited += pause
            await self._look_for_the_living()
        urls = ", ".join(replica.url for replica in self._replicas)
        raise ReplicaError(f"no replica answered for {self._patience_s:.0f} s: {urls}")

    def _least_busy(self) -> _Replica | None:
        return min((r for r in self._replicas if r.alive), key=lambda replica: replica.running, default=None)

    async def _look_for_the_living(self) -> None:
        """Replicas that answer again serve again, with the present weights."""
        for replica in self._replicas:
            if replica.alive:
                continue
            try:
                (await self._client.get(f"{replica.url}/health", timeout=5.0)).raise_for_status()
                if self._weights is not None:
                    await self._renew(replica)
            except (httpx.HTTPError, ReplicaError):
                continue
            replica.alive = True

    async def _renew_all(self) -> None:
        outcomes = await asyncio.gather(*(self._renew(r) for r in self._replicas), return_exceptions=True)
        for replica, outcome in zip(self._replicas, outcomes, strict=True):
            replica.alive = not isinstance(outcome, BaseException)
        if not any(replica.alive for replica in self._replicas):
            raise ConfigError(
                f"no server took the weights in {self._weights}: {outcomes[0]}. Start them with "
                "`pixel-env serve`, on a machine that sees this folder."
            )

    async def _renew(self, replica: _Replica) -> None:
        call = {"method": "renew_weights", "kwargs": {"weights_path": self._weights}}
        await self._post(replica, "/collective_rpc", call)
        for cache in ("prefix", "encoder", "mm"):
            await self._post(replica, f"/reset_{cache}_cache", None)
        replica.weights = self._weights

    async def _post(self, replica: _Replica, path: str, body: Any) -> Any:
        """The answer's JSON. Raises ReplicaError if there is none, ValueError if the server refuses the request."""
        try:
            answer = await self._client.post(replica.url + path, json=body)
        except httpx.HTTPError as error:
            raise ReplicaError(f"{replica.url}: {type(error).__name__} {error}") from error
        if answer.status_code >= 500:
            raise ReplicaError(f"{replica.url}{path}: {answer.status_code} {answer.text[:500]}")
        if answer.status_code >= 400:
            raise ValueError(f"{replica.url}{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    # -------------------------------------------------------------------------------------------- wire format

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "token_ids": collapsed(request.prompt_ids, self._image_id),
            "return_token_ids": True,
            "sampling_params": {
                "temperature": request.temperature,
                "max_tokens": request.max_new_tokens,
                "seed": request.seed % 2**63,
                "logit_bias": {str(id): FORBIDDEN for id in request.banned_ids},
                "logprobs": 0,
                "stop_token_ids": [self._end_id],
                "ignore_eos": True,
                "detokenize": False,
            },
        }
        if request.images:
            parts = [{"type": "image_url", "url": data_url(i), "uuid": content_id(i)} for i in request.images]
            body["content_parts"] = parts
        return body

    def _response(self, request: Request, answer: Any) -> Response:
        choice = answer["choices"][0]
        if tuple(answer["prompt_token_ids"]) != request.prompt_ids:
            raise ValueError(
                f"the server made {len(answer['prompt_token_ids'])} tokens of a prompt of {len(request.prompt_ids)}: "
                "its picture processor disagrees with ours. Serve the checkpoint's own folder."
            )
        ids = tuple(choice["token_ids"])
        logprobs = tuple(float(token["logprob"]) for token in choice["logprobs"]["content"])
        return Response(request.request_id, ids, logprobs, ended=bool(ids) and ids[-1] == self._end_id)
