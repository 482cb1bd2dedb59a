"""Weights over NCCL, up to the transfer: what servers are asked, in which order, and vLLM's own reading of it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from pixel_env.errors import ConfigError

pytest.importorskip("vllm")
from vllm.distributed.weight_transfer import nccl_engine

from agents.engines.served.nccl_weights import NCCLWeights

WEIGHTS = {"visual.a": torch.ones(2, 3), "layers.b": torch.zeros(4, dtype=torch.bfloat16)}


class Server:
    """Knows how many GPUs it has and which weights are there; remembers what it was asked, in order."""

    def __init__(self, gpus):
        self.asked, self.loaded, self.transfer = [], None, {"backend": "nccl"}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply({"world_size": gpus, "vllm_config": {"weight_transfer_config": server.transfer}})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((body.get("method") or self.path.strip("/"), body))
                if "method" in body:
                    server.loaded = body["kwargs"].get("version", server.loaded)
                self.reply({"results": [server.loaded] * gpus})

            def reply(self, content):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def names(self):
        return [name for name, _ in self.asked]

    def body(self, name):
        return [body for asked, body in self.asked if asked == name][-1]

    def die(self):
        self.http.shutdown()
        self.http.server_close()


class Recorded(nccl_engine.NCCLTrainerWeightTransferEngine):
    """vLLM's trainer half, with a list in the place of NCCL."""

    def _broadcast(self, source, meta):
        self.sent = list(self._checked_iter(source, meta) if self.is_sender else source)


@pytest.fixture
def servers(monkeypatch):
    monkeypatch.setattr(nccl_engine, "open_trainer_endpoint", lambda information: information)
    both = [Server(gpus=2), Server(gpus=1)]
    yield both
    for server in both:
        server.die()


def weights_of(servers, rank=0):
    urls = [server.url for server in servers]
    return NCCLWeights(urls, lambda: iter(WEIGHTS.items()), rank=rank, address="trainer", transfer=Recorded)


UPDATE = ["forget_version", "start_weight_update", "update_weights", "finish_weight_update", "adopt_version"]


def test_every_server_gets_its_place_among_the_gpus_and_the_weights_under_their_names(servers):
    pusher = weights_of(servers)
    pusher.push("step-0")
    assert [server.names() for server in servers] == [["init_weight_transfer_engine", *UPDATE]] * 2
    places = [server.body("init_weight_transfer_engine")["init_info"] for server in servers]
    first, second = [nccl_engine.NCCLWeightTransferInitInfo(**place) for place in places]
    assert (first.rank_offset, second.rank_offset, first.world_size, second.world_size) == (1, 3, 4, 4)
    assert first.master_address == "trainer" and first.master_port == second.master_port
    update = nccl_engine.NCCLWeightTransferUpdateInfo(**servers[1].body("update_weights")["update_info"])
    assert (update.names, update.dtype_names) == (list(WEIGHTS), ["float32", "bfloat16"])
    assert update.shapes == [[2, 3], [4]] and [name for name, _ in pusher._engine.sent] == list(WEIGHTS)
    assert [server.loaded for server in servers] == ["step-0"] * 2


def test_the_group_is_made_once_and_again_when_a_server_was_restarted_or_is_gone(servers):
    pusher = weights_of(servers)
    pusher.push("step-0")
    pusher.push("step-1")
    assert [server.names().count("init_weight_transfer_engine") for server in servers] == [1, 1]
    servers[1].loaded = None
    pusher.push("step-2")
    assert [server.names().count("init_weight_transfer_engine") for server in servers] == [2, 2]
    servers[1].die()
    pusher.push("step-3")
    assert servers[0].body("init_weight_transfer_engine")["init_info"]["world_size"] == 3
    assert [server.loaded for server in servers] == ["step-3", "step-2"]


def test_the_other_processes_only_take_part_in_yielding(servers):
    pusher = weights_of(servers, rank=1)
    pusher.push("step-0")
    assert [name for name, _ in pusher._engine.sent] == list(WEIGHTS)
    assert not servers[0].asked and not servers[1].asked


def test_a_server_that_takes_no_weights_over_nccl_is_named_with_the_option_that_is_missing(servers):
    servers[1].transfer = None
    with pytest.raises(
        ConfigError, match=f"{servers[1].url} does not accept weights over NCCL.*--weight-transfer-config"
    ):
        weights_of(servers).push("step-0")
    with pytest.raises(ConfigError, match="no server answers"):
        NCCLWeights(["http://127.0.0.1:9"], lambda: iter(()), rank=0, address="").push("step-0")
