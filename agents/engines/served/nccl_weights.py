"""Sends new weights from the trainer's GPU to the GPUs of all replicas over NCCL, without a disk in between.

Servers have to be started with `--weight-transfer-config '{"backend": "nccl"}'`. The protocol is tested against small
servers of our own; the transfer itself needs GPUs. Depends on vLLM's own weight transfer: its endpoints and the
trainer's half; independent of requests.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import httpx
import torch
from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo, NCCLTrainerWeightTransferEngine

from pixel_env.errors import ConfigError

Parameters = Iterator[tuple[str, torch.Tensor]]


class NCCLWeights:
    """Sends what `weights()` yields to the replicas at `urls`, from process 0; the others take part in yielding.

    `address`: of this machine, as the servers reach it; `transfer`: vLLM's trainer half.
    """

    def __init__(
        self,
        urls: Sequence[str],
        weights: Callable[[], Parameters],
        *,
        rank: int,
        address: str,
        timeout_s: float = 600.0,
        transfer: Any = NCCLTrainerWeightTransferEngine,
    ) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._source = _PolicySource(weights)
        self._rank, self._address, self._transfer = rank, address, transfer
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)
        self._group = _Group({}, self._client)
        self._engine: Any = None
        self._version: str | None = None

    def push(self, version: str) -> None:
        """Sends the weights, as `version`, to the replicas that answer now; call `use_sent_weights` of the engine next.

        Every process calls it, while no turn is under way. Raises ConfigError if no replica answers, or if one refuses
        or dies before the transfer. One that dies during it leaves all others waiting in NCCL for ever.
        """
        if self._rank:
            self._engine = self._engine or self._joined(world_size=0)
            self._engine.send_weights()
            return
        try:
            self._meet()
            self._group.call("forget_version")
            self._engine.send_weights()
            self._group.call("adopt_version", version=version)
        except httpx.HTTPError as error:
            raise ConfigError(
                f"a server did not accept the weights: {error}. Restart the servers, and resume the training."
            ) from error
        self._version = version

    def _meet(self) -> None:
        """Makes a group of the replicas that answer, unless they are the last group and none was restarted."""
        sizes = {url: size for url in self._urls if (size := self._workers_at(url))}
        if not sizes:
            raise ConfigError(f"no server answers at {', '.join(self._urls)}. Start them with `pixel-env serve`.")
        if sizes == self._group.sizes and set(self._group.call("loaded_version")) == {self._version}:
            return
        self._group = _Group(sizes, self._client)
        self._engine = self._joined(world_size=1 + sum(sizes.values()))

    def _joined(self, world_size: int) -> Any:
        with socket.socket() as probe:
            probe.bind(("", 0))
            port = probe.getsockname()[1]
        information = NCCLTrainerInitInfo(self._address, port, world_size, rank=self._rank)
        return self._transfer.trainer_init(information, client=self._group, source=self._source)

    def _workers_at(self, url: str) -> int:
        """The replica's GPUs; 0 if it does not answer. Raises ConfigError if it cannot take weights this way."""
        try:
            answer = self._client.get(f"{url}/server_info", params={"config_format": "json"}, timeout=20.0)
            if answer.raise_for_status().json()["vllm_config"]["weight_transfer_config"] is None:
                raise ConfigError(
                    f"the server at {url} does not accept weights over NCCL. Start it with: pixel-env serve ... -- "
                    """--weight-transfer-config '{"backend": "nccl"}'"""
                )
            return int(self._client.get(f"{url}/get_world_size", timeout=20.0).raise_for_status().json()["world_size"])
        except httpx.HTTPError:
            return 0


class _Group:
    """vLLM's client of one server, for several: each gets its own range of ranks, all are called at once."""

    def __init__(self, sizes: Mapping[str, int], client: httpx.Client) -> None:
        self.sizes = dict(sizes)
        self._client = client

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        offsets = accumulate(list(self.sizes.values())[:-1], initial=init_info["rank_offset"])
        self._ask("init_weight_transfer_engine", [{"init_info": {**init_info, "rank_offset": one}} for one in offsets])

    def start_weight_update(self) -> None:
        self._ask("start_weight_update", [{}] * len(self.sizes))

    def update_weights(self, update_info: dict[str, Any]) -> None:
        self._ask("update_weights", [{"update_info": update_info}] * len(self.sizes))

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        self._ask("finish_weight_update", [{"weight_version": weight_version}] * len(self.sizes))

    def call(self, method: str, **kwargs: str) -> list[Any]:
        """What `method` of every worker of every replica returns."""
        answers = self._ask("collective_rpc", [{"method": method, "kwargs": kwargs}] * len(self.sizes))
        return [result for answer in answers for result in (answer or {}).get("results", [])]

    def _ask(self, path: str, bodies: Sequence[dict[str, Any]]) -> list[Any]:
        with ThreadPoolExecutor(max(1, len(self.sizes))) as pool:
            return list(pool.map(lambda url, body: self._post(f"{url}/{path}", body), self.sizes, bodies))

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        answer = self._client.post(url, json=body).raise_for_status()
        return answer.json() if answer.content else None


class _PolicySource(WeightSource):
    """`weights()` again and again; what it yields is described by going through it once."""

    def __init__(self, weights: Callable[[], Parameters]) -> None:
        self._weights = weights
        self._metadata: list[Any] = []

    def metadata(self) -> list[Any]:
        self._metadata = self._metadata or [
            ParamMeta(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in self._weights()
        ]
        return self._metadata

    def __iter__(self) -> Parameters:
        return self._weights()
