"""A small server in place of an endpoint, scripted by a test: it answers well by default, or fails on purpose."""

import base64
import contextlib
import hashlib
import io
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image


def asked(messages):
    """The text of the latest request."""
    content = messages[-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def pictures(messages):
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def thought(messages, said=""):
    """What a good teacher replies: another text to every request, the same to the same one.

    Where it is asked to end in the answer it does, or in `said`.
    """
    digest = hashlib.sha256(json.dumps(messages).encode()).hexdigest()
    words = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    step = asked(messages[:2])
    suffices = "The right answer" in step or "whole reasoning" in step
    answer = re.search(r"(?:arrive at the answer|The right answer is) '(.*?)'", step)
    ending = said or f"So the answer is {answer[1]}." if answer else ""
    text = f"I see a field of colours, and think of {words[:8]}, {words[8:20]} and {words[20:30]}. {ending}"
    return json.dumps({"text": text, "suffices": suffices})


def completion(text, finish_reason="stop"):
    """The body that carries `text`."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}}  # fmt: skip


class Served(ThreadingHTTPServer):
    """Answers with `script(body, number)`: a text, a status, a status and its text, bytes as they are, or CUT.

    `number` counts the requests. `headers`: sent with every answer. `bodies`, `keys`: all that came; `times`: when;
    `peak`: how many it had at a time.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = lambda body, number: thought(body["messages"])
        self.headers, self.keys = {}, []
        self.bodies, self.times, self.under_way, self.peak, self.lock = [], [], 0, 0, threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


CUT = object()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.bodies.append(body)
            server.keys.append(self.headers["Authorization"])
            server.times.append(time.monotonic())
            server.under_way += 1
            server.peak, number = max(server.peak, server.under_way), len(server.bodies)
        said = server.script(body, number)
        with server.lock:
            server.under_way -= 1
        status, text = (said, "no") if isinstance(said, int) else said if isinstance(said, tuple) else (200, said)
        payload = text if isinstance(text, bytes) else json.dumps(completion("" if text is CUT else text)).encode()
        if status != 200:
            payload = json.dumps({"error": {"message": text}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", len(payload))
        self.send_header("retry-after-ms", "10")
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(payload[: len(payload) // 2] if text is CUT else payload)
        if text is CUT:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass
