"""`pixel-env view --serve`: the page and its pictures, to this machine, and nothing else."""

import http.client
import re
import signal
import subprocess
import sys
import threading

import pytest

from benchmarks.view.server import HOST, PageServer, file_for, serve
from pixel_env.errors import ConfigError
from tests.benchmarks.view.runs import LOOK_TWICE, write_run
from tests.paths import ROOT

NAME = "0123456789abcdef0123.jpg"


@pytest.fixture
def page(tmp_path):
    """A page with a folder of pictures, in a folder that holds other files too."""
    folder = tmp_path / "run"
    (folder / "view_pictures").mkdir(parents=True)
    (folder / "view_pictures" / NAME).write_bytes(b"\xff\xd8 a picture")
    (folder / "view_pictures" / "secret.txt").write_text("secret")
    (folder / "configuration.json").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "view.html").write_text("<p>the page ü", encoding="utf-8")
    return folder / "view.html"


@pytest.fixture
def server(page):
    with PageServer(page, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, *, method="GET", host=None):
    connection = http.client.HTTPConnection(HOST, server.server_address[1], timeout=300)
    connection.putrequest(method, path, skip_host=host is not None)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_is_at_the_root_and_under_its_name(server):
    for path in ("/", "/view.html", "/?x=1"):
        response, body = ask(server, path)
        assert response.status == 200 and body.decode() == "<p>the page ü"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_pictures_come_out_of_the_folder_beside_the_page(server):
    response, body = ask(server, f"/view_pictures/{NAME}")
    assert response.status == 200 and body == b"\xff\xd8 a picture"
    assert response.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    "path",
    [
        "/configuration.json",
        "/view_pictures/",
        "/view_pictures",
        "/view_pictures/secret.txt",
        "/view_pictures/../configuration.json",
        "/view_pictures/..%2f..%2fsecret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "//etc/passwd",
        "/etc/passwd",
        f"/other_pictures/{NAME}",
        f"/view_pictures/{NAME}%00.txt",
        f"/view_pictures/x/{NAME}",
        "/view_pictures/ffffffffffffffffffff.jpg",
        "view.html",
        "*",
    ],
)
def test_every_other_path_is_not_found(server, path):
    response, body = ask(server, path)
    assert response.status == 404 and b"secret" not in body


def test_a_head_request_has_no_body_and_nothing_can_be_sent(server):
    response, body = ask(server, "/", method="HEAD")
    assert (response.status, body) == (200, b"") and int(response.headers["Content-Length"]) > 0
    assert ask(server, "/", method="POST")[0].status == 501


@pytest.mark.parametrize(("host", "status"), [("localhost:1234", 200), ("evil.example", 403), ("", 403), ("[", 403)])
def test_a_name_that_was_made_to_point_here_is_refused(server, host, status):
    assert ask(server, "/", host=host)[0].status == status


def test_only_this_machine_is_served(server):
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_that_cannot_be_had_is_an_error_that_says_the_way_out(server, page):
    taken = server.server_address[1]
    with pytest.raises(ConfigError, match=rf"port {taken} is not available .*--port {taken + 1}"):
        serve(page, taken)
    with pytest.raises(ConfigError, match="port 70000 is not available"):
        serve(page, 70000)


def test_only_names_that_a_page_gives_its_pictures_are_files(page):
    assert file_for(f"/view_pictures/{NAME}", page) == page.parent / "view_pictures" / NAME
    assert file_for(f"/view_pictures/{NAME}\n", page) is None


def heed_control_c():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored


def test_view_serve_prints_its_address_and_ends_cleanly_on_control_c(tmp_path):
    run = write_run(tmp_path / "run", [LOOK_TWICE], count=1)
    command = [sys.executable, "-m", "pixel_env.cli", "view", str(run), "--serve", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes, preexec_fn=heed_control_c) as process:
        try:
            lines = [process.stdout.readline(), process.stdout.readline()]
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)/ ", lines[1])[1])
            connection = http.client.HTTPConnection(HOST, port, timeout=300)
            connection.request("GET", "/")
            assert b"Which digit" in connection.getresponse().read()
            connection.close()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 0 and "Traceback" not in errors and "interrupted" not in errors


def test_no_link_is_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "view_pictures").mkdir()
    (tmp_path / "view_pictures" / NAME).symlink_to(tmp_path / "secret")
    (tmp_path / "folder_pictures").symlink_to(tmp_path / "view_pictures")
    assert file_for(f"/view_pictures/{NAME}", tmp_path / "view.html") is None
    assert file_for(f"/folder_pictures/{NAME}", tmp_path / "folder.html") is None
    (tmp_path / "view_pictures" / NAME).unlink()
    (tmp_path / "view_pictures" / NAME).write_bytes(b"jpeg")
    assert file_for(f"/view_pictures/{NAME}", tmp_path / "view.html") == tmp_path / "view_pictures" / NAME
