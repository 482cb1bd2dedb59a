"""Replicas of vLLM's server as one engine: token ids in, token ids and log-probabilities out.

`pixel-env serve` starts them. If a replica dies, its running requests are submitted again; a restarted replica loads
the current weights before it serves again (`replicas.py`). Depends on vLLM's token-in, token-out interface, and on a
chat format's image placeholder and end-of-turn token; independent of trainers and commands.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from agents.chat.content_id import content_id
from agents.engines.protocol import Request, Response
from agents.engines.remote import RemoteEngine
from agents.engines.served.replicas import RefusedError, Replica, ReplicaError, Replicas, Weights
from agents.engines.wire import FORBIDDEN, EncodedImages, collapsed, truncation_parameters
from pixel_env.errors import ConfigError

REFUSALS = 2
"""Replicas that refuse a request before it fails: then the request itself is wrong."""
LOSSES = 5
"""Replicas that die during a request before it fails."""
_SLACK = 2
# Connections idle for longer are not reused: the server closes them after 5 s, possibly just as a request is sent.
_KEPT_ALIVE_S = 2.0


class ServerEngine(RemoteEngine):
    """Sends the turns of a conversation to one replica unless it is busier than the others; call `close` at the end.

    `urls`: of the replicas, without a path; `image_id`, `end_id`: of the chat format; `patience_s`: seconds that a
    request waits while no replica is alive, and that a change of weights is retried, before either fails.
    """

    def __init__(self, urls: Sequence[str], *, image_id: int, end_id: int, patience_s: float = 240.0) -> None:
        if not urls:
            raise ConfigError("no server address was given. Give at least one, as `pixel-env serve` prints it.")
        super().__init__("vllm-client")
        self._image_id, self._end_id = image_id, end_id
        self._patience_s = patience_s
        self._resubmitted = 0
        self._longest: int | None = None
        self._images = EncodedImages()
        self._encoders = ThreadPoolExecutor(max_workers=4, thread_name_prefix="encode")
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEPT_ALIVE_S)
        # Replicas are in the local network, which a proxy of the environment may not reach.
        self._client = httpx.AsyncClient(limits=limits, trust_env=False)
        self._replicas = Replicas(urls, self._client, patience_s)
        self._watch = self.begin(self._replicas.watch())

    @property
    def resubmitted(self) -> int:
        """Number of requests so far that were sent again because their replica died."""
        return self._resubmitted

    def submit(self, request: Request) -> None:
        """Send `request` off; returns at once. Raises ConfigError for one with a video entry."""
        if request.video_frames:
            # A request cannot say that the frames keep their size, nor how far apart they are in time.
            raise ConfigError(
                "vLLM's server does not support a video as one entry of the prompt. Let vLLM generate in this "
                "process (engine 'vllm', or vllm_mode 'colocate'), or show the frames as images: append ':frames' to "
                "the dialect's name."
            )
        super().submit(request)

    def max_model_len(self) -> int:
        """Tokens of the longest conversation that all answering replicas accept, images included.

        Replicas that start later and accept less are not used. Raises ConfigError if none answers in time.
        """
        tokens = self.begin(self._replicas.max_model_len()).result()
        if tokens is None:
            raise ConfigError(f"no server answers: {self._replicas.errors()}. Start them with `pixel-env serve`.")
        self._longest = tokens
        return tokens

    def use_weights(self, folder: Path) -> None:
        """Makes every serving replica load the checkpoint in `folder` (on a disk that it can read).

        Every process of a run calls it; a replica loads once, for the first call. Raises RuntimeError while turns are
        being generated, ConfigError if no replica has loaded the weights in time.
        """
        self._use(_weights_in(folder.resolve()), "on machines that can read this folder")

    def use_sent_weights(self, version: str) -> None:
        """Makes every serving replica use what `NCCLWeights` has sent as `version`; raises as `use_weights` does."""
        self._use(Weights(version), "before weights are sent")

    def _use(self, weights: Weights, condition: str) -> None:
        if self.in_flight:
            raise RuntimeError(f"{self.in_flight} turns are being generated. Change weights between rollouts only.")
        if not self.begin(self._replicas.use_weights(weights)).result():
            raise ConfigError(
                f"no server has loaded the weights {weights.version} after {self._patience_s:.0f} s: "
                f"{self._replicas.errors()}. Start them with `pixel-env serve`, {condition}."
            )

    def close(self) -> None:
        """Ends the connections and the threads."""
        self._watch.cancel()
        self.cancel()
        self.begin(self._client.aclose()).result(timeout=10)
        super().close()
        self._encoders.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------------------------- in the event loop's thread

    async def answer(self, request: Request) -> Response:
        """The turn that a replica samples; if it dies, another replica does.

        Once `max_model_len` was asked for, a conversation without room for a turn is answered by `out_of_tokens`.
        """
        if self._longest is not None:
            room = self._longest - len(request.prompt_ids)
            if room < 1:
                return Response(request.request_id, (), (), ended=False, out_of_tokens=True)
            request = replace(request, max_new_tokens=min(request.max_new_tokens, room))
        key, body = await asyncio.get_running_loop().run_in_executor(self._encoders, self._prepared, request)
        refused_by: set[str] = set()
        losses = 0
        while True:
            replica = await self._free_replica(key, refused_by)
            try:
                return self._response(request, await self._replicas.ask(replica, "/inference/v1/generate", body))
            except ReplicaError:
                losses += 1
                if losses >= LOSSES:
                    raise
                self._resubmitted += 1
            except RefusedError:
                refused_by.add(replica.url)
                if len(refused_by) >= REFUSALS or self._chosen(key, refused_by) is None:
                    raise

    async def _free_replica(self, key: bytes, refused_by: set[str]) -> Replica:
        """Waits for a replica that is alive. Raises ReplicaError if that takes longer than `patience_s`."""
        end = asyncio.get_running_loop().time() + self._patience_s
        while asyncio.get_running_loop().time() < end:
            if (replica := self._chosen(key, refused_by)) is not None:
                return replica
            await asyncio.sleep(0.1)
        raise ReplicaError(f"no replica was alive for {self._patience_s:.0f} s: {self._replicas.errors()}")

    def _chosen(self, key: bytes, refused_by: set[str]) -> Replica | None:
        """The replica whose caches contain the conversation; another one if that is busier than the others."""
        alive = [one for one in self._replicas.all if one.alive and one.url not in refused_by]
        if not alive:
            return None
        least = min(len(replica.under_way) for replica in alive)
        free = [replica for replica in alive if len(replica.under_way) <= least + _SLACK]
        return max(free, key=lambda replica: hashlib.blake2b(key + replica.url.encode(), digest_size=8).digest())

    # -------------------------------------------------------------------------------------------- wire format

    def _prepared(self, request: Request) -> tuple[bytes, bytes]:
        """What identifies the conversation, and the body to send. Slow for large images: not for the event loop."""
        body: dict[str, Any] = {
            "token_ids": collapsed(request.prompt_ids, self._image_id),
            "return_token_ids": True,
            "sampling_params": {
                "temperature": request.temperature,
                **truncation_parameters(request),
                "max_tokens": request.max_new_tokens,
                "seed": request.seed % 2**63,
                "logit_bias": {str(id): FORBIDDEN for id in request.banned_ids},
                "logprobs": 0,
                "stop_token_ids": [self._end_id],
                "ignore_eos": True,
                "stop": list(request.stop),
                "include_stop_str_in_output": True,
                "detokenize": bool(request.stop),
            },
        }
        if request.images:
            named = [self._images.named(image) for image in request.images]
            body["content_parts"] = [{"type": "image_url", "url": url, "uuid": name} for name, url in named]
        return _conversation_key(request), json.dumps(body).encode()

    def _response(self, request: Request, answer: Any) -> Response:
        choice = answer["choices"][0]
        if choice["finish_reason"] == "abort":
            raise ReplicaError("the server stopped during the turn")
        if tuple(answer["prompt_token_ids"]) != request.prompt_ids:
            raise ValueError(
                f"the server expanded a prompt of {len(request.prompt_ids)} tokens to "
                f"{len(answer['prompt_token_ids'])}: its image processor differs from ours. Serve the checkpoint's own "
                "folder."
            )
        ids = tuple(choice["token_ids"])
        logprobs = tuple(float(token["logprob"]) for token in choice["logprobs"]["content"])
        ended = bool(ids) and (ids[-1] == self._end_id or choice["finish_reason"] == "stop")
        return Response(request.request_id, ids, logprobs, ended=ended)


def _weights_in(folder: Path) -> Weights:
    """The folder's weights, named by when they were written."""
    written_ns = [file.stat().st_mtime_ns for file in folder.glob("*.safetensors")]
    if not written_ns:
        raise ConfigError(f"{folder} has no *.safetensors. Give the folder of a whole checkpoint.")
    return Weights(f"{folder} of {max(written_ns)}", str(folder))


def _conversation_key(request: Request) -> bytes:
    """The same for all turns of one conversation, and for the rollouts of one question."""
    first = content_id(request.images[0]) if request.images else ""
    return hashlib.blake2b(f"{request.prompt_ids[:256]}{first}".encode(), digest_size=16).digest()
