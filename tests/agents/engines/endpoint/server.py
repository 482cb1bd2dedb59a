"""A small server in place of an endpoint, scripted by a test: any message, any fault, any body."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agents.chat.plain import PlainChat
from agents.engines.endpoint import EndpointEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.testing import tiny_task


def said(content=None, *, calls=(), finish_reason=None, **fields):
    """A completion; `calls`: pairs of a name and arguments, which are sent as they are; `fields` of the message."""
    message = {"role": "assistant", "content": content, **fields}
    if calls:
        message["tool_calls"] = [
            {"id": f"server-{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for index, (name, arguments) in enumerate(calls)
        ]
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason or "stop"}]}


def crop(box=(0.0, 0.0, 0.5, 0.5), image=1):
    """A native call of the dialect "default"."""
    return "crop_image", json.dumps({"bbox_2d": list(box), "target_image": image})


class ScriptedEndpoint(ThreadingHTTPServer):
    """Answers with `script(body, number)`: a completion, a status, a status and its text, bytes as they are, or a
    function of the handler that writes the whole response.

    `number` counts the requests; `bodies`, `headers`: all that came; `written`: bytes of bodies that were sent.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = lambda body, number: said("\\boxed{7}")
        self.bodies, self.headers, self.written, self.lock = [], [], 0, threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.headers.append(self.headers)
            number = len(self.server.bodies)
        answer = self.server.script(body, number)
        with contextlib.suppress(OSError):
            if callable(answer):
                answer(self)
                return
            status, payload = (
                answer if isinstance(answer, tuple) else (answer, "") if isinstance(answer, int) else (200, answer)
            )
            if status != 200:
                payload = {"error": {"message": payload}}
            self.begin(status)
            self.write(payload if isinstance(payload, bytes) else json.dumps(payload).encode())

    def begin(self, status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "retry-after-ms": "10", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def write(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        with self.server.lock:
            self.server.written += len(data)

    def log_message(self, *_):
        pass


def engine_at(endpoint, dialect="default", **options):
    """An engine for the server, and its chat format."""
    chat = PlainChat(dialect if not isinstance(dialect, str) else dialect_named(dialect))
    return EndpointEngine("m", chat, **{"base_url": endpoint.url, "api_key": "none", **options}), chat


def played(endpoint, tasks=None, dialect="default", max_turns=3, max_turn_tokens=256, **options):
    """The trajectories of episodes that the server plays."""
    engine, chat = engine_at(endpoint, dialect, **options)
    settings = EpisodeSettings(chat.dialect, Limits(max_turns=max_turns), chat.dialect.budgets)
    try:
        rollouts = rollout(
            tasks or [tiny_task()], engine, chat, settings=settings, sampling=Sampling(0.0, max_turn_tokens), seed=0
        )
    finally:
        engine.close()
    return [one.trajectory for one in rollouts]
