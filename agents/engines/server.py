"""Replicas of vLLM's server as one engine: token ids in, token ids and log-probabilities out.

`pixel-env serve` starts them. A replica that dies costs its running requests one resubmission; one that comes back is
given the present weights before it serves again (`replicas.py`). Knows vLLM's token-in, token-out interface, and of
chat formats the placeholder of a picture and the token that ends a turn.
"""

import asyncio
import hashlib
import queue
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from agents.engines.protocol import Request, Response
from agents.engines.replicas import RefusedError, Replica, ReplicaError, Replicas
from agents.engines.wire import FORBIDDEN, collapsed, content_id, data_url
from pixel_env.errors import ConfigError

POLL_S = 0.02
"""How long a poll waits for a response: operations that end meanwhile are submitted that much later at most."""
REFUSALS = 2
"""A request that so many replicas refuse is at fault itself."""
_ENCODED_PICTURES = 512
_SLACK = 2


class ServerEngine:
    """Sends the turns of a conversation to one replica as long as it is not busier than others; `close` it at the end.

    `urls`: of the replicas, without a path; `image_id`, `end_id`: of the chat format; `patience_s`: how long a request
    waits while no replica is alive, before it fails.
    """

    static = False

    def __init__(self, urls: Sequence[str], *, image_id: int, end_id: int, patience_s: float = 240.0) -> None:
        if not urls:
            raise ConfigError("no server was named; give the address of at least one, as `pixel-env serve` prints it")
        self._image_id, self._end_id = image_id, end_id
        self._patience_s = patience_s
        self._finished: queue.SimpleQueue[tuple[int, Response]] = queue.SimpleQueue()
        self._in_flight = 0
        self._epoch = 0
        self._pictures: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._encoders = ThreadPoolExecutor(max_workers=4, thread_name_prefix="encode")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm-client", daemon=True)
        self._thread.start()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.AsyncClient(limits=limits)
        self._replicas = Replicas(list(urls), self._client)
        self._watch = asyncio.run_coroutine_threadsafe(self._replicas.watch(), self._loop)

    @property
    def in_flight(self) -> int:
        """Requests whose responses no poll has returned yet."""
        return self._in_flight

    def submit(self, request: Request) -> None:
        """Send `request` off; returns at once."""
        self._in_flight += 1
        asyncio.run_coroutine_threadsafe(self._serve(request, self._epoch), self._loop)

    def poll(self) -> list[Response]:
        """What has arrived, after a short wait for the first one."""
        responses: list[Response] = []
        try:
            arrived = self._finished.get(timeout=POLL_S)
            while True:
                epoch, response = arrived
                responses += [response] if epoch == self._epoch else []
                arrived = self._finished.get_nowait()
        except queue.Empty:
            pass
        self._in_flight -= len(responses)
        return responses

    def cancel(self) -> None:
        """Forget what is in flight: its responses are dropped as they arrive."""
        self._epoch += 1
        self._in_flight = 0

    def use_weights(self, folder: Path) -> None:
        """From now on every replica that serves holds the checkpoint in `folder` (on a disk that it sees).

        Every process of a run calls it; the first that reaches a replica makes it load. Raises RuntimeError while turns
        are under way, ConfigError if no replica held the weights in time.
        """
        if self._in_flight:
            raise RuntimeError(f"{self._in_flight} turns are under way; weights change between rollouts only")
        renewal = self._replicas.use_weights(str(folder.resolve()), self._patience_s)
        problem = asyncio.run_coroutine_threadsafe(renewal, self._loop).result()
        if problem is not None:
            raise ConfigError(
                f"no server took the weights in {folder}: {problem}. Start them with `pixel-env serve`, on machines "
                "that see this folder."
            )

    def close(self) -> None:
        """Ends the connections and the threads."""
        self._watch.cancel()
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._encoders.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------------------------- in the event loop's thread

    async def _serve(self, request: Request, epoch: int) -> None:
        try:
            response = await self._generated(request)
        except Exception as error:  # data, like any episode that breaks: the others go on
            text = f"{type(error).__name__}: {error}"
            response = Response(request.request_id, (), (), ended=True, error=text)
        self._finished.put((epoch, response))

    async def _generated(self, request: Request) -> Response:
        body = await self._loop.run_in_executor(self._encoders, self._body, request)
        key = _conversation_key(request)
        end = self._loop.time() + self._patience_s
        refused_by: set[str] = set()
        while self._loop.time() < end:
            replica = self._chosen(key, refused_by)
            if replica is None:
                await asyncio.sleep(0.1)
                continue
            replica.running += 1
            try:
                return self._response(request, await self._replicas.post(replica, "/inference/v1/generate", body))
            except ReplicaError as error:
                if not isinstance(error.__cause__, httpx.ConnectTimeout):  # busy is not dead
                    replica.alive, replica.error = False, str(error)
            except RefusedError:
                refused_by.add(replica.url)
                if len(refused_by) >= min(REFUSALS, len(self._replicas.all)):
                    raise
            finally:
                replica.running -= 1
        states = "; ".join(f"{replica.url}: {replica.error}" for replica in self._replicas.all)
        raise ReplicaError(f"no replica served the request within {self._patience_s:.0f} s: {states}")

    def _chosen(self, key: bytes, refused_by: set[str]) -> Replica | None:
        """The conversation's own replica, whose caches know it; another one if that is busier than most."""
        alive = [one for one in self._replicas.all if one.alive and one.url not in refused_by]
        if not alive:
            return None
        least = min(replica.running for replica in alive)
        free = [replica for replica in alive if replica.running <= least + _SLACK]
        return max(free, key=lambda replica: hashlib.blake2b(key + replica.url.encode(), digest_size=8).digest())

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
            body["content_parts"] = [self._part(image) for image in request.images]
        return body

    def _part(self, image: np.ndarray) -> dict[str, str]:
        """The picture as a part of a message; encoded once for all turns that show it."""
        name = content_id(image)
        part = self._pictures.get(name)
        if part is None:
            part = {"type": "image_url", "url": data_url(image), "uuid": name}
            self._pictures[name] = part
            while len(self._pictures) > _ENCODED_PICTURES:
                self._pictures.popitem(last=False)
        return part

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


def _conversation_key(request: Request) -> bytes:
    """The same for all turns of one conversation, and for the rollouts of one question."""
    first = content_id(request.images[0]) if request.images else ""
    return hashlib.blake2b(f"{request.prompt_ids[:256]}{first}".encode(), digest_size=16).digest()
