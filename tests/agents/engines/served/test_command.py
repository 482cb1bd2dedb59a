"""`pixel-env serve` around ten-line servers: what it starts, what it does when one ends, and what it refuses."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from agents.engines.served import children as served_replicas
from agents.engines.served.children import ATTEMPTS, LONGEST_WAIT_S, ReplicaStart, ServedReplicas
from agents.engines.served.command import ServeOptions, check, replica_starts, visible_gpus
from pixel_env.cli import main
from pixel_env.errors import ConfigError
from tests.ports import free_port
from tests.waiting import until

SERVER = """
import http.server, pathlib, signal, subprocess, sys
folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if (folder / "deaf").exists(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
helper = subprocess.Popen(["sleep", "300"])
(folder / "helper").write_text(str(helper.pid))
if (folder / "broken").exists(): sys.exit(3)
http.server.SimpleHTTPRequestHandler.do_GET = lambda self: (self.send_response(200), self.end_headers())
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
OPTIONS = ServeOptions("tiny-zoom", max_model_len=512)


class Clock:
    """As late as somebody says."""

    now = 0.0

    def __call__(self):
        return self.now


class Case:
    """Servers, each with a folder that says how it behaves, and what was said of them."""

    def __init__(self, folder, count):
        self.folders = [folder / str(number) for number in range(count)]
        self.starts = []
        for own in self.folders:
            own.mkdir()
            port = free_port()
            command = (sys.executable, "-c", SERVER, str(own), str(port))
            self.starts.append(ReplicaStart(command, os.environ, f"http://127.0.0.1:{port}"))
        self.said, self.clock = [], Clock()
        self.replicas = ServedReplicas(self.starts, say=self.said.append, clock=self.clock)

    def set(self, number, behaviour, wanted=True):
        mark = self.folders[number] / behaviour
        mark.touch() if wanted else mark.unlink()

    def process(self, number):
        return self.replicas._all[number].process

    def until(self, condition):
        def checked():
            self.replicas.check()
            return condition()

        condition() or until(checked)

    def waits(self):
        return [line.rpartition(" in ")[2] for line in self.said if "restarts" in line]


@pytest.fixture
def case(tmp_path):
    cases = []

    def of(count):
        cases.append(Case(tmp_path, count))
        return cases[0]

    yield of
    for one in cases:
        one.replicas._end()


def is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_server_that_is_killed_comes_back_alone_and_what_it_had_started_is_gone(case):
    one = case(2)
    one.until(lambda: one.replicas.all_answer)
    killed, other, helper = one.process(0), one.process(1), int((one.folders[0] / "helper").read_text())
    killed.kill()
    one.until(lambda: one.process(0) is None)
    assert one.waits() == ["1 s"] and "exited with code -9" in one.said[-1] and not one.replicas.all_answer
    one.clock.now += 0.9
    one.until(lambda: not is_running(helper))  # it is killed at once, and ends when the machine has time for it
    one.replicas.check()
    assert one.process(0) is None
    one.clock.now += 0.2
    one.until(lambda: one.replicas.all_answer)
    assert one.process(1) is other and one.process(0).pid != killed.pid


def test_a_server_that_has_answered_is_tried_for_ever_and_ever_more_rarely(case):
    one = case(1)
    one.until(lambda: one.replicas.all_answer)
    one.set(0, "broken")
    one.process(0).kill()
    for count in range(1, 9):
        one.until(lambda count=count: len(one.waits()) == count)
        one.clock.now += LONGEST_WAIT_S
    assert one.waits() == ["1 s", "2 s", "4 s", "8 s", "16 s", "32 s", "60 s", "60 s"]
    one.set(0, "broken", wanted=False)
    one.until(lambda: one.replicas.all_answer)
    one.process(0).kill()
    one.until(lambda: len(one.waits()) == 9)
    assert one.waits()[-1] == "1 s"


def test_a_server_that_never_answered_is_given_up_with_its_command(case):
    one = case(1)
    one.set(0, "broken")
    starts = 0
    with pytest.raises(ConfigError, match=f"exited with code 3, {ATTEMPTS} times in a row") as error:
        while starts < 1000:
            one.replicas.check()
            one.clock.now += LONGEST_WAIT_S
            starts += 1
            time.sleep(0.02)
    assert sys.executable in str(error.value) and len(one.waits()) == ATTEMPTS - 1


def test_a_server_that_is_deaf_to_the_end_is_killed_with_what_it_started(case, monkeypatch):
    monkeypatch.setattr(served_replicas, "_GRACE_S", 0.5)
    one = case(1)
    one.replicas._clock = time.monotonic
    one.set(0, "deaf")
    with one.replicas:
        one.until(lambda: one.replicas.all_answer)
        process, helper = one.process(0), int((one.folders[0] / "helper").read_text())
    assert process.returncode == -signal.SIGKILL and not is_running(helper)


def test_serving_is_said_once_all_answer_and_a_signal_ends_the_servers(tmp_path):
    one = Case(tmp_path, 2)
    one.set(1, "broken")  # at its first start
    servers = [(start.command, start.url) for start in one.starts]
    code = (
        "import os; from agents.engines.served.children import *\n"
        f"keep_serving([ReplicaStart(command, os.environ, url) for command, url in {servers!r}], 'Serving.')"
    )
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        lines = []
        for line in serving.stdout:
            lines.append(line)
            if "restarts" in line:
                one.set(1, "broken", wanted=False)
            if line == "Serving.\n":
                break
        answers = [urllib.request.urlopen(start.url + "/health", timeout=300).status for start in one.starts]
        serving.send_signal(signal.SIGTERM)
        serving.wait(timeout=300)
    assert len([line for line in lines if " answers" in line]) == 2 and answers == [200, 200]
    assert not any(is_running(int((folder / "helper").read_text())) for folder in one.folders)


# ------------------------------------------------------------------------------------- commands and environments


def test_each_replica_gets_its_own_gpus_and_its_own_port():
    options = ServeOptions("tiny-zoom", 512, replicas=2, gpus_per_replica=2, port=8100, host="node-7")
    gpus = visible_gpus({"CUDA_VISIBLE_DEVICES": "4, 5,6,7"}, 4)
    first, second = replica_starts(options, ["--dtype", "bfloat16"], gpus, {"PATH": "/bin"})
    assert first.environment == {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "4,5", "VLLM_SERVER_DEV_MODE": "1"}
    assert second.environment["CUDA_VISIBLE_DEVICES"] == "6,7"
    assert option(first, "--tensor-parallel-size") == "2" and option(second, "--port") == "8101"
    assert second.url == "http://127.0.0.1:8101" and option(second, "--host") == "0.0.0.0"
    assert option(first, "--dtype") == "bfloat16" and "--enforce-eager" not in first.command


def test_without_a_gpu_a_replica_gets_what_vllm_needs_on_a_cpu_unless_the_user_has_said_otherwise():
    [start] = replica_starts(OPTIONS, [], [], {"VLLM_CPU_KVCACHE_SPACE": "8"})
    assert start.environment["VLLM_CPU_KVCACHE_SPACE"] == "8"
    assert start.environment["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert {"--enforce-eager", "--no-enable-chunked-prefill"} <= set(start.command)
    assert "--tensor-parallel-size" not in start.command and "CUDA_VISIBLE_DEVICES" not in start.environment


def test_the_port_that_changes_weights_is_open_to_other_machines_only_if_they_are_meant_to_come():
    [start] = replica_starts(OPTIONS, [], [], {})
    assert option(start, "--host") == "127.0.0.1"


def test_gpus_are_counted_unless_the_environment_names_them():
    assert visible_gpus({}, 3) == ["0", "1", "2"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}, 2) == ["GPU-a", "GPU-b"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, 0) == []


def option(start, name):
    return start.command[start.command.index(name) + 1]


# --------------------------------------------------------------------------------------------- the user's mistakes


@pytest.mark.parametrize(
    ("flags", "after", "gpus", "message"),
    [
        ({"replicas": 3, "gpus_per_replica": 2}, [], 4, "need 6, and 4 are visible"),
        ({"gpus_per_replica": 2}, [], 0, "no GPU is visible"),
        ({"replicas": 0}, [], 0, "wanted: 1 or more"),
        ({"model": "./no/such/folder"}, [], 0, "there is no checkpoint folder"),
        ({"model": str(Path(__file__).parent)}, [], 0, "no config.json"),
        ({"port": 70000}, [], 0, "port 70000 cannot be used"),
        ({}, ["--port=1", "--dtype", "float32"], 0, "sets --port itself. Give them before `--`"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(flags, after, gpus, message):
    options = ServeOptions(**({"model": "tiny-zoom", "max_model_len": 512, "port": free_port()} | flags))
    with pytest.raises(ConfigError, match=message):
        check(options, after, [str(number) for number in range(gpus)])


def test_a_port_that_is_taken_is_named_on_the_command_line(capsys):
    pytest.importorskip("vllm")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--model", "tiny-zoom", "--max-model-len", "512", "--port", str(port)]) == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
