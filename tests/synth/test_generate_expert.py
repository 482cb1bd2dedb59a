"""`pixel-env synth` with a teacher behind an endpoint: a small server of our own that fails on purpose."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agents.trace_folder import read_trace_folder
from pixel_env.cli import main

pytest.importorskip("openai")
DATA_SET = ("traces.jsonl", "tasks.jsonl", "task_set.json", "README.md")
FLAGS = ("--count", "10", "--workers", "1", "--model", "stub", "--seeds", "sample:vstar-tiny")
MIX = ("--media", "image=4", "text=1", "--dialect", "default")


class Handler(BaseHTTPRequestHandler):
    """Says a text that depends on what is asked; of every five requests of a breaking server one is answered badly in
    each of four ways."""

    def do_POST(self):
        messages = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
        digest = hashlib.sha256(json.dumps(messages).encode()).hexdigest()
        words = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
        suffices = any(word in json.dumps(messages[:2]) for word in ("The right answer", "whole reasoning"))
        said = json.dumps({"text": f"I see a field of colours, {words[:8]} and {words[8:20]}.", "suffices": suffices})
        with self.server.lock:
            self.server.requests += 1
            trouble = self.server.requests % 5 if self.server.breaks else 0
        status = {1: 429, 2: 500}.get(trouble, 200)
        said = {3: "Sure! Here is it.", 4: '{"text": 5}'}.get(trouble, said)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "stub",
            "choices": [choice],
            "usage": usage,
        }
        payload = json.dumps(body if status == 200 else {"error": {"message": "busy"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("retry-after-ms", "10")
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.lock, served.requests, served.breaks = threading.Lock(), 0, True
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


def synth(server, out, *flags):
    url = f"http://127.0.0.1:{server.server_port}/v1"
    return main(["synth", "--teacher", url, "--out", str(out), *FLAGS, *MIX, *flags])


def content(folder):
    return {name: (folder / name).read_bytes() for name in DATA_SET}


def test_a_teacher_that_fails_on_purpose_loses_no_trace(server, tmp_path, capsys):
    assert synth(server, tmp_path / "out", "--price_in", "1", "--price_out", "2") == 0
    _, traces = read_trace_folder(tmp_path / "out")
    assert len(traces) == 10 and all("field of colours" in trace.turns[0].text for trace in traces)
    printed = capsys.readouterr().out
    assert "teacher stub: " in printed and "price" in printed
    assert "what `stub` said: its provider's terms decide" in (tmp_path / "out" / "README.md").read_text()


def test_a_rerun_asks_for_nothing_and_gives_the_same_bytes(server, tmp_path):
    assert synth(server, tmp_path / "out") == 0
    before, asked = content(tmp_path / "out"), server.requests
    (tmp_path / "out" / "journal.jsonl").unlink()  # the replies are kept beside it
    assert synth(server, tmp_path / "out") == 0
    assert content(tmp_path / "out") == before and server.requests == asked


def test_another_model_in_the_same_folder_is_refused_but_the_server_may_move(server, tmp_path, capsys):
    assert synth(server, tmp_path / "out") == 0
    assert synth(server, tmp_path / "out", "--model", "other") == 2
    assert "model (was 'stub', is 'other')" in capsys.readouterr().err
    assert main(["synth", "--teacher", "http://127.0.0.1:9/v1", "--out", str(tmp_path / "out"), *FLAGS, *MIX]) == 0
