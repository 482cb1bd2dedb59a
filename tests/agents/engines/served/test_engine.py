"""Replicas behind HTTP, some of which die: against small servers of our own that speak vLLM's protocol."""

import contextlib
import json
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import pytest

from agents.engines.protocol import Request
from agents.engines.served import replicas as replicas_module
from agents.engines.served.engine import LOSSES, ServerEngine
from agents.engines.served.worker import ServedWorker
from agents.engines.wire import EncodedImages
from pixel_env.errors import ConfigError
from tests.ports import free_port
from tests.waiting import until

IMAGE, END = 5, 9


class Replica:
    """Answers a prompt with its length and the end token; expands one placeholder to four, as a picture of 32x32."""

    def __init__(self, port=0):
        self.calls, self.weights, self.delay, self.status, self.answers = [], None, 0.0, 200, []
        self.health, self.health_delay, self.max_model_len, self.ends = 200, 0.0, 1024, "stop"
        self.loaded, self.failing_loads = None, 0
        self.may_answer = threading.Event()  # while it is cleared, turns are under way
        self.may_answer.set()
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if replica.dead:
                    self.close_connection = True
                elif self.path == "/v1/models":
                    self.reply(200, {"data": [{"max_model_len": replica.max_model_len}]})
                else:
                    time.sleep(replica.health_delay)
                    self.reply(replica.health, {})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
                replica.calls.append(self.path)
                if replica.dead:
                    self.close_connection = True
                    return
                if self.path == "/collective_rpc":
                    replica.calls[-1] = body["method"]
                    if body["method"] == "load_version" and replica.failing_loads > 0:
                        replica.failing_loads -= 1
                        self.reply(500, {"error": "no such disk yet"})
                        return
                    held = replica.rpc(body["method"], **body["kwargs"])
                    self.reply(200, {"results": [held, *replica.held_by_others]})
                    return
                if self.path != "/inference/v1/generate":
                    busy = replica.busy_resets > 0
                    replica.busy_resets -= busy
                    self.reply(200, {"success": not busy})
                    return
                time.sleep(replica.delay)
                replica.may_answer.wait(timeout=300)
                replica.hung_up += bool(select.select([self.connection], [], [], 0)[0]) and not self.connection.recv(
                    1, socket.MSG_PEEK
                )
                if replica.dead:
                    self.close_connection = True
                    return
                prompt = [token for id in body["token_ids"] for token in ([id] * (4 if id == IMAGE else 1))]
                replica.answers.append((body, replica.weights))
                tokens = [{"token": "t", "logprob": -0.5}, {"token": "e", "logprob": -0.25}]
                choice = {
                    "token_ids": [len(prompt), END],
                    "logprobs": {"content": tokens},
                    "finish_reason": replica.ends,
                }
                self.reply(replica.status, {"choices": [choice], "prompt_token_ids": prompt})

            def reply(self, status, content):
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.dead, self.held, self.held_by_others, self.busy_resets, self.hung_up = False, None, [], 0, 0
        self.server = ThreadingHTTPServer(("127.0.0.1", port or free_port()), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rpc(self, method, version=None, weights_path=None):
        if method == "load_version":
            time.sleep(self.delay)
            self.held, self.weights, self.held_by_others, self.loaded = None, weights_path, [], version
        if method == "loaded_version":
            return self.loaded
        if method == "confirm_version":
            self.held = version
        return self.held

    @property
    def turns(self):
        """How many turns were requested of it."""
        return self.calls.count("/inference/v1/generate")

    def die(self):
        self.dead = True
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    monkeypatch.setattr(replicas_module, "WATCH_S", 0.2)


@pytest.fixture
def replicas():
    started = [Replica(), Replica()]
    yield started
    for replica in started:
        if not replica.dead:
            replica.die()


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path / "weights")


@pytest.fixture
def engine(replicas):
    one = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END, patience_s=20)
    until(lambda: all(replica.alive for replica in one._replicas.all))
    yield one
    one.close()


def hold(replicas):
    for replica in replicas:
        replica.may_answer.clear()


def release(replicas):
    for replica in replicas:
        replica.may_answer.set()


def written(folder):
    """The folder, with weights that are new."""
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"")
    time.sleep(0.01)
    return folder


def request(number, images=0, prompt=(1, 2, 3)):
    ids = (*prompt, *((IMAGE,) * 4 + (2,)) * images)
    return Request(number, ids, (np.zeros((32, 32, 3), np.uint8),) * images, 8, 1.0, 2**63 + number, frozenset({IMAGE}))


def served(engine, requests):
    for one in requests:
        engine.submit(one)
    responses, deadline = [], time.monotonic() + 300
    while engine.in_flight and time.monotonic() < deadline:
        responses += engine.poll()
    return {response.request_id: response for response in responses}


def test_ids_go_in_and_ids_and_log_probabilities_come_out(engine, replicas):
    response = served(engine, [request(0, images=2)])[0]
    assert response.token_ids == (13, END) and response.logprobs == (-0.5, -0.25) and response.ended
    [(body, _)] = [answer for replica in replicas for answer in replica.answers]
    assert body["token_ids"] == [1, 2, 3, IMAGE, 2, IMAGE, 2]
    assert [part["type"] for part in body["content_parts"]] == ["image_url"] * 2
    sampling = body["sampling_params"]
    assert 0 <= sampling["seed"] < 2**63 and sampling["logit_bias"] == {str(IMAGE): -100.0}


def test_a_conversation_stays_with_a_replica_and_many_are_spread(engine, replicas):
    for turn in range(3):
        served(engine, [request(turn, prompt=(*range(10, 310), *range(10, 10 + turn)))])
    assert sorted(len(replica.answers) for replica in replicas) == [0, 3]
    for replica in replicas:
        replica.delay, replica.answers = 0.2, []
    assert len(served(engine, [request(i, prompt=(100 + i,)) for i in range(16)])) == 16
    assert all(len(replica.answers) >= 6 for replica in replicas)


def test_a_replica_that_dies_costs_its_running_requests_one_resubmission_and_nothing_else(engine, replicas):
    first, second = replicas
    hold(replicas)
    for i in range(8):
        engine.submit(request(i, prompt=(100 + i,)))
    until(lambda: first.turns + second.turns == 8)
    first.die()
    release(replicas)
    responses = []
    while engine.in_flight:
        responses += engine.poll()
    assert sorted(response.request_id for response in responses) == list(range(8))
    assert {response.error for response in responses} == {None}
    assert len(second.answers) == 8  # its own, and those of the dead one once each
    assert len(served(engine, [request(9)])) == 1


def test_new_weights_reach_every_replica_before_it_serves_and_are_loaded_once(engine, replicas, folder):
    replicas[0].busy_resets = 2
    another_process = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END)
    engine.use_weights(folder)
    another_process.use_weights(folder)
    until(lambda: all(replica.held and replica.weights == str(folder) for replica in replicas))
    another_process.close()
    for replica in replicas:
        calls = [call for call in replica.calls if call in ("load_version", "confirm_version") or "reset" in call]
        resets = ["/reset_prefix_cache"] * (3 if replica is replicas[0] else 1)
        assert calls == ["load_version", *resets, "/reset_encoder_cache", "confirm_version"]
    replicas[0].delay = replicas[1].delay = 0.2
    engine.submit(request(0))
    with pytest.raises(RuntimeError, match="1 turns are being generated"):
        engine.use_weights(folder)


def test_a_replica_that_comes_back_gets_the_present_weights_once_and_before_it_serves(engine, replicas, folder):
    engine.use_weights(folder)
    first, second = replicas
    second.die()
    first.die()
    for i in range(12):
        engine.submit(request(i))
    time.sleep(0.3)
    again = Replica(port=first.port)
    replicas.append(again)
    responses = []
    while engine.in_flight:
        responses += engine.poll()
    assert len(responses) == 12 and all(response.error is None for response in responses)
    assert {weights for _, weights in again.answers} == {str(folder)}
    assert again.calls.count("load_version") == 1
    assert again.calls.index("confirm_version") < again.calls.index("/inference/v1/generate")


def test_a_replica_that_restarts_unused_is_not_trusted_with_its_old_weights(engine, replicas, folder):
    engine.use_weights(folder)
    until(lambda: all(replica.alive for replica in engine._replicas.all))
    second = replicas[1]
    second.die()
    until(lambda: not engine._replicas.all[1].alive)
    again = Replica(port=second.port)
    replicas.append(again)
    until(lambda: engine._replicas.all[1].alive)
    assert again.held and again.weights == str(folder)


def test_a_replica_of_which_one_gpu_holds_other_weights_loads_them_again(engine, replicas, folder):
    engine.use_weights(folder)
    for replica in replicas:
        until(lambda replica=replica: replica.held)
        replica.calls, replica.held_by_others = [], [None]
    engine.use_weights(folder)
    until(lambda: all("confirm_version" in replica.calls for replica in replicas))


def test_weights_that_a_server_cannot_load_at_once_are_tried_again(engine, replicas, folder):
    for replica in replicas:
        replica.failing_loads = 3
    engine.use_weights(folder)
    until(lambda: all(replica.held for replica in replicas))
    impatient = ServerEngine([replicas[0].url], image_id=IMAGE, end_id=END, patience_s=1)
    replicas[0].failing_loads = 1000
    with pytest.raises(ConfigError, match="no such disk yet"):
        impatient.use_weights(written(folder))
    impatient.close()


def test_a_folder_that_is_written_again_is_loaded_again(engine, replicas, folder):
    engine.use_weights(folder)
    until(lambda: all(replica.held for replica in replicas))
    engine.use_weights(written(folder))
    assert [replica.calls.count("load_version") for replica in replicas] == [2, 2]


def test_weights_that_change_while_a_replica_still_loads_older_ones_reach_it(engine, replicas, folder, tmp_path):
    first, second = replicas
    second.delay = 0.6
    older = threading.Thread(target=engine.use_weights, args=[folder])
    older.start()
    until(lambda: "load_version" in second.calls)
    engine.use_weights(written(tmp_path / "new"))
    older.join()
    assert [replica.alive for replica in engine._replicas.all] == [True, True]
    assert first.held == second.held and second.weights == str(tmp_path / "new")


def test_weights_that_were_sent_otherwise_are_trusted_where_they_are_and_the_others_wait_for_the_next(engine, replicas):
    first, second = replicas
    first.loaded = "step-1"
    engine.use_sent_weights("step-1")
    assert first.held == "step-1" and "/reset_encoder_cache" in first.calls
    until(lambda: "waits for the next ones" in engine._replicas.errors())
    assert [replica.alive for replica in engine._replicas.all] == [True, False]
    first.loaded = second.loaded = "step-2"
    engine.use_sent_weights("step-2")
    until(lambda: engine._replicas.all[1].alive)
    assert "load_version" not in first.calls + second.calls


def test_a_busy_replica_that_leaves_a_look_unanswered_keeps_its_requests(engine, replicas, monkeypatch):
    monkeypatch.setattr(replicas_module, "_CHECK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(replicas_module, "WATCH_S", 2.0)
    for replica in replicas:
        replica.health_delay, replica.delay = 3.0, 2.5
    assert {r.error for r in served(engine, [request(i, prompt=(100 + i,)) for i in range(4)]).values()} == {None}
    assert engine.resubmitted == 0


def test_the_requests_of_a_replica_that_is_silent_for_too_long_go_to_another_one(engine, replicas, monkeypatch):
    monkeypatch.setattr(replicas_module, "_CHECK_TIMEOUT_S", 0.3)
    first, second = replicas
    first.health_delay = first.delay = 15.0
    assert {r.error for r in served(engine, [request(i, prompt=(100 + i,)) for i in range(8)]).values()} == {None}
    assert engine.resubmitted and not first.answers and len(second.answers) == 8


def test_the_turns_of_an_engine_that_died_behind_its_server_wait_for_the_next_one(engine, replicas):
    for replica in replicas:
        replica.status, replica.health = 500, 503
    engine.submit(request(0))
    until(lambda: not any(replica.alive for replica in engine._replicas.all))
    for replica in replicas:
        replica.status, replica.health = 200, 200
    assert served(engine, [])[0].error is None and engine.resubmitted == 2


def test_a_turn_that_its_server_cut_when_it_ended_is_made_again(engine, replicas):
    for replica in replicas:
        replica.ends = "abort"
    engine.submit(request(0))
    until(lambda: engine.resubmitted)
    for replica in replicas:
        replica.ends = "stop"
    assert served(engine, [])[0].token_ids == (3, END)


def test_a_turn_that_takes_longer_than_the_patience_is_still_made_again(replicas):
    impatient = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END, patience_s=0.5)
    hold(replicas)
    for i in range(4):
        impatient.submit(request(i, prompt=(100 + i,)))
    until(lambda: sum(replica.turns for replica in replicas) == 4)
    time.sleep(0.9)  # longer than the patience
    replicas[0].die()
    release(replicas)
    responses = served(impatient, [])
    impatient.close()
    assert impatient.resubmitted and {response.error for response in responses.values()} == {None}


def test_a_request_that_every_server_dies_of_is_given_up(engine, replicas):
    for replica in replicas:
        replica.ends = "abort"
    assert "server stopped" in served(engine, [request(0)])[0].error
    assert sum(len(replica.answers) for replica in replicas) == LOSSES


def test_the_longest_conversation_is_that_of_the_least_server_and_smaller_ones_are_not_used_later(engine, replicas):
    first, second = replicas
    second.max_model_len = 512
    second.die()
    until(lambda: not engine._replicas.all[1].alive)
    assert engine.max_model_len() == 1024
    replicas.append(Replica(port=second.port))
    replicas[2].max_model_len = 512
    until(lambda: "--max-model-len is 512" in engine._replicas.errors())
    other = ServerEngine([replicas[0].url, replicas[2].url], image_id=IMAGE, end_id=END)
    assert other.max_model_len() == 512
    other.close()


def test_a_request_that_servers_refuse_fails_alone_and_no_replica_counts_as_dead(engine, replicas):
    for replica in replicas:
        replica.status = 500
    assert "500" in served(engine, [request(0)])[0].error
    for replica in replicas:
        replica.status = 200
    assert served(engine, [request(1)])[1].error is None
    assert all(replica.alive for replica in engine._replicas.all)


def test_what_is_cancelled_never_arrives(engine, replicas):
    for replica in replicas:
        replica.delay = 0.4
    engine.submit(request(0, prompt=(1, 1, 1, 1, 1)))
    until(lambda: any("/inference/v1/generate" in replica.calls for replica in replicas))
    engine.cancel()
    assert engine.in_flight == 0
    assert served(engine, [request(0)])[0].token_ids == (3, END)
    until(lambda: sum(replica.hung_up for replica in replicas) == 1)  # and the server is not left to finish it


def test_with_no_replica_left_a_request_fails_with_their_addresses(replicas):
    impatient = ServerEngine([replicas[0].url], image_id=IMAGE, end_id=END, patience_s=0.4)
    replicas[0].die()
    response = served(impatient, [request(0)])[0]
    impatient.close()
    assert replicas[0].url in response.error


def test_a_server_that_expands_pictures_otherwise_is_refused(engine):
    wrong = Request(0, (1, IMAGE, IMAGE, 2), (np.zeros((32, 16, 3), np.uint8),), 8, 1.0, 0, frozenset())
    assert "image processor differs" in served(engine, [wrong])[0].error


def test_weights_that_no_server_takes_are_the_users_error(replicas, folder, tmp_path):
    for replica in replicas:
        replica.die()
    alone = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END, patience_s=1)
    with pytest.raises(ConfigError, match="pixel-env serve"):
        alone.use_weights(folder)
    with pytest.raises(ConfigError, match=r"has no \*.safetensors"):
        alone.use_weights(tmp_path)
    alone.close()
    with pytest.raises(ConfigError, match="at least one"):
        ServerEngine([], image_id=IMAGE, end_id=END)
    with pytest.raises(ConfigError, match="no server answers"):
        _ = unanswered(replicas)


def unanswered(replicas):
    alone = ServerEngine([replicas[0].url], image_id=IMAGE, end_id=END, patience_s=0.5)
    try:
        return alone.max_model_len()
    finally:
        alone.close()


def test_weights_that_several_ask_for_are_loaded_once_and_trusted_once_caches_are_empty():
    class Worker(ServedWorker):
        loaded: ClassVar = []

        def renew_weights(self, weights_path):
            self.loaded.append(weights_path)
            if weights_path == "broken":
                raise FileNotFoundError

    worker = Worker()
    worker.load_version("a", "first")
    assert worker.held_version() is None
    worker.load_version("a", "first")
    worker.confirm_version("a")
    worker.load_version("a", "first")
    assert worker.held_version() == "a" and worker.loaded == ["first"]
    with pytest.raises(FileNotFoundError):
        worker.load_version("b", "broken")
    worker.confirm_version("b")
    worker.confirm_version("a")
    assert worker.held_version() is None  # half of "b" may be there


def test_pictures_are_encoded_once_and_what_is_kept_of_them_is_bounded():
    pictures = [np.full((32, 32, 3), shade, np.uint8) for shade in range(8)]
    encoded = EncodedImages(max_bytes=3 * len(EncodedImages(0).named(pictures[0])[1]))
    first = encoded.named(pictures[0])
    assert encoded.named(pictures[0].copy())[1] is first[1]
    for picture in pictures:
        encoded.named(picture)
    assert encoded._bytes == sum(map(len, encoded._uris.values())) <= encoded._max_bytes
