"""A local HTTP server for the page of `pixel-env view` and its images, reachable only from this machine.

Serves two kinds of file: the page, and the JPEGs in the folder next to it, through no link; all else is 404.
Independent of the page's contents.
"""

import re
import shutil
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pixel_env.errors import ConfigError

HOST = "127.0.0.1"
_OWN_HOST = re.compile(rf"({re.escape(HOST)}|localhost)(:\d+)?")
_IMAGE = re.compile(r"[0-9a-f]{20}\.jpg")
_READING_S = 30.0


class PageServer(ThreadingHTTPServer):
    """Serves one page and its images. Port 0 takes a free one, which `address` contains."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, page: Path, port: int, before: Callable[[], None] | None = None) -> None:
        """`before`: called before the page is answered with, to bring the file up to date."""
        handler: Callable[..., BaseHTTPRequestHandler] = partial(_Handler, page, before, threading.Lock())
        super().__init__((HOST, port), handler)

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores browsers that close the connection during a response."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def serve(page: Path, port: int, before: Callable[[], None] | None = None) -> None:
    """Serves `page` until Ctrl-C; `before` brings its file up to date. Raises ConfigError if the port is taken."""
    try:
        server = PageServer(page, port, before)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"port {port} is not available ({error}). Give another one, or 0 for a free one: --port {port % 60000 + 1}"
        ) from error
    with server:
        print(f"Serving the page on this machine: {server.address} (Ctrl-C stops it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


class _Handler(BaseHTTPRequestHandler):
    server_version = "pixel-env"
    sys_version = ""
    timeout = _READING_S  # an idle connection does not keep its thread

    def __init__(
        self, page: Path, before: Callable[[], None] | None, updating: threading.Lock, *of_the_connection: Any
    ) -> None:
        self._page = page
        self._before = before
        self._updating = updating  # one thread at a time writes the page
        super().__init__(*of_the_connection)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Logs nothing, so that the URL stays visible in the terminal."""

    def _answer(self, *, with_body: bool) -> None:
        # DNS rebinding: another site's name may resolve to this machine; then the Host header is that name.
        if not _OWN_HOST.fullmatch(self.headers.get("Host", "")):
            self.send_error(403)
            return
        if self.path == "/favicon.ico":  # every browser requests it, and logs an error if it is missing
            self.send_response(204)
            self.end_headers()
            return
        file = file_for(unquote(self.path.partition("?")[0]), self._page)
        if file == self._page and self._before is not None:
            try:
                with self._updating:
                    self._before()
            except ConfigError as error:  # the page stays as it was
                print(f"pixel-env: {error}", file=sys.stderr)
        try:
            if file is None:
                raise FileNotFoundError
            opened = file.open("rb")
        except OSError:
            self.send_error(404)
            return
        with opened:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg" if file.suffix == ".jpg" else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(file.stat().st_size))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-cache")
            self.end_headers()
            if with_body:
                shutil.copyfileobj(opened, self.wfile)


def file_for(path: str, page: Path) -> Path | None:
    """The file for a request of `path`, which is unquoted; None if it is not served."""
    if path in ("/", f"/{page.name}"):
        return page
    folder, _, name = path.removeprefix("/").rpartition("/")
    is_image = folder == f"{page.stem}_pictures" and _IMAGE.fullmatch(name)
    if not is_image:
        return None
    file = page.with_name(folder) / name
    return None if file.is_symlink() or file.parent.is_symlink() else file
