"""A model behind an OpenAI-compatible endpoint plays: against a small server of our own."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.endpoint import EndpointEngine, messages_of
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import IMAGE_SIGN
from pixel_env.errors import ConfigError
from pixel_env.testing import tiny_task
from pixel_env.types import Limits, Stop

pytest.importorskip("httpx")
TINY = dialect_named("tiny")
CHAT = PlainChat(TINY)


@pytest.fixture
def endpoint():
    """A server that answers by `script(messages)`: text, HTTP status, or both; it remembers what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.seen.append(body)
            server.keys.append(self.headers["Authorization"])
            said = server.script(body["messages"], len(server.seen))
            status, text = said if isinstance(said, tuple) else (said, "") if isinstance(said, int) else (200, said)
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            refused = {"error": {"message": text}}
            answer = (
                refused
                if status != 200
                else {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("retry-after-ms", "10")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.keys, server.script = [], [], lambda messages, count: "<answer>7"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def play(server, tasks, api_key="none", **options):
    url = f"http://127.0.0.1:{server.server_port}/v1"
    engine = EndpointEngine("m", CHAT, base_url=url, api_key=api_key, **options)
    settings = EpisodeSettings(TINY, Limits(max_turns=3), TINY.budgets)
    return rollout(tasks, engine, CHAT, settings=settings, sampling=Sampling(0.0, 64), seed=0)


def test_an_endpoint_sees_the_whole_conversation_and_its_pictures(endpoint):
    endpoint.script = lambda messages, count: "<crop> 0 0 8 8" if len(messages) < 3 else "<answer>7"
    [played] = play(endpoint, [tiny_task()])
    assert (played.trajectory.stop, played.trajectory.reward) == (Stop.ANSWERED, 1.0)
    first, second = endpoint.seen
    roles = [message["role"] for message in second["messages"]]
    assert roles[-3:] == ["user", "assistant", "user"] and second["messages"][-2]["content"] == "<crop> 0 0 8 8"
    pictures = [part for message in second["messages"] if message["role"] == "user" for part in message["content"]
                if part["type"] == "image_url"]  # fmt: skip
    assert len(pictures) == 2
    sent = base64.b64decode(pictures[1]["image_url"]["url"].partition(",")[2])
    shown = TINY.budgets.crop.max_pixels
    assert np.prod(Image.open(io.BytesIO(sent)).size) == shown
    assert first["messages"] == second["messages"][: len(first["messages"])]


def test_busy_and_broken_answers_are_asked_for_again(endpoint):
    endpoint.script = lambda messages, count: {1: 429, 2: 500}.get(count, "<answer>7")
    [played] = play(endpoint, [tiny_task()])
    assert played.trajectory.stop is Stop.ANSWERED and len(endpoint.seen) == 3


def test_an_endpoint_that_refuses_fails_the_episode_and_not_the_others(endpoint):
    endpoint.script = lambda messages, count: 400 if "hopeless" in json.dumps(messages) else "<answer>7"
    tasks = [tiny_task("a"), tiny_task("b", question="hopeless"), tiny_task("c")]
    a, b, c = play(endpoint, tasks)
    assert [row.trajectory.stop for row in (a, b, c)] == [Stop.ANSWERED, Stop.FAILED, Stop.ANSWERED]
    assert "400" in b.trajectory.error


def test_messages_keep_the_order_of_texts_and_pictures():
    images = [np.zeros((16, 32, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)]
    for text, expected in (
        ("one", ["image_url", "image_url", "text"]),
        (f"one{IMAGE_SIGN}or{IMAGE_SIGN}", ["text", "image_url", "text", "image_url"]),
    ):
        ids = (*CHAT._user_turn(text, [(32, 16), (16, 16)]), *CHAT.encode("said"), *CHAT._user_turn("two", []))
        messages = messages_of(ids, images, CHAT)
        assert [m["role"] for m in messages] == ["user", "assistant", "user"]
        assert [part["type"] for part in messages[0]["content"]] == expected
    assert messages[1]["content"] == "said" and messages[2]["content"] == "two"


def test_a_key_is_sent_without_the_space_around_it_and_never_printed(endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " sk-SECRET-123\n")
    endpoint.script = lambda messages, count: (401, f"Incorrect key: {endpoint.keys[-1]}")
    with pytest.raises(ConfigError, match="Incorrect key") as stopped:
        play(endpoint, [tiny_task()], api_key=None)
    assert endpoint.keys == ["Bearer sk-SECRET-123"] and "SECRET" not in str(stopped.value)
