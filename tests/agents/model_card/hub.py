"""A stand-in for the Hugging Face Hub: the endpoints that make a repository and take a commit.

It takes every file in the commit itself, as the Hub does with small ones. Depends on the Hub's HTTP API; independent of
what is uploaded.
"""

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Hub(ThreadingHTTPServer):
    """`files`: the uploaded files of all commits by name, `commits`: their messages, `refuses`: answers 403 to all."""

    def __init__(self, *, refuses=False):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.commits = []
        self.tokens = set()
        self.unknown = []
        self.refuses = refuses

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        hub, body = self.server, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.tokens.add(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if hub.refuses:
            self._answer({"error": "You don't have the rights to create a model under this namespace"}, 403)
        elif self.path == "/api/repos/create":
            given = json.loads(body)
            name = "/".join(filter(None, (given.get("organization"), given["name"])))
            self._answer({"url": f"{hub.address}/{name}", "name": name, "id": name})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            answer = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            self._answer({"files": answer})
        elif "/commit/" in self.path:
            for line in body.decode().splitlines():
                row = json.loads(line)
                if row["key"] == "header":
                    hub.commits.append(row["value"]["summary"])
                elif row["key"] == "file":
                    hub.files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
            url = f"{hub.address}/me/tiny/commit/{'0' * 40}"
            self._answer({"success": True, "commitUrl": url, "commitOid": "0" * 40, "hookOutput": ""})
        else:
            self._unknown()

    def do_GET(self):
        if self.path == "/api/agent-harnesses":  # huggingface_hub asks for it, and does without it
            self._answer([])
        else:
            self._unknown()

    def do_HEAD(self):
        self._unknown()

    def _unknown(self):
        self.server.unknown.append(f"{self.command} {self.path}")
        self._answer({"error": "not found"}, 404)

    def _answer(self, row, status=200):
        body = json.dumps(row).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass
