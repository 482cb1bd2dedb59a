"""What generates a trainer's turns: vLLM beside it in each process, or served elsewhere, with the policy's weights.

Knows TRL's options for vLLM and when weights are out of date. Knows nothing of rollouts, rewards or losses.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from accelerate import Accelerator
from trl.import_utils import is_vllm_available

from agents.chat.chat import Chat
from agents.engines.protocol import Engine
from agents.engines.served.engine import ServerEngine
from agents.engines.vllm import VLLMEngine, load_vllm
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.policy_weights import policy_weights, save_weights
from pixel_env.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from agents.engines.served.nccl_weights import NCCLWeights


class WeightedEngine(Protocol):
    """An engine that is not the policy itself and has to be given its weights."""

    def generating(self, policy: torch.nn.Module, step: int) -> Any:
        """A context: the engine, with the weights that `policy` (unwrapped) has at optimizer step `step`."""

    def outdate(self) -> None:
        """The policy has changed without a step: the next generation takes its weights over."""


def engine_beside(args: PixelGRPOConfig, model: Any, chat: Chat, accelerator: Accelerator) -> WeightedEngine:
    """vLLM as `args` want it. Raises ConfigError or MissingExtraError for what cannot be had."""
    check_vllm(args)
    if args.vllm_mode == "server":
        return ServedVLLM(args, chat, accelerator)
    return ColocatedVLLM(args, model, chat, accelerator)


class ColocatedVLLM:
    """vLLM in the trainer's process, one engine in each; it takes the weights over when the policy has moved."""

    def __init__(self, args: PixelGRPOConfig, model: Any, chat: Chat, accelerator: Accelerator) -> None:
        options: dict[str, Any] = {
            "max_num_seqs": args.per_device_train_batch_size * args.steps_per_generation,
            "gpu_memory_utilization": args.vllm_gpu_memory_utilization,
            "enable_sleep_mode": args.vllm_enable_sleep_mode,
            "model_impl": args.vllm_model_impl,
            "seed": accelerator.process_index,
        }
        if accelerator.num_processes > 1:  # one engine per process: each is its own launcher
            os.environ["RANK"] = str(accelerator.process_index)
            os.environ["LOCAL_RANK"] = str(accelerator.local_process_index)
            os.environ["WORLD_SIZE"] = str(accelerator.num_processes)
            options["distributed_executor_backend"] = "external_launcher"
        llm = load_vllm(
            model.name_or_path,
            dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
            max_model_len=args.max_tokens or args.vllm_max_model_length,
            max_images=args.max_images,
            video_entry=chat.video_entry,
            **(options | args.options_of_vllm()),
        )
        self._engine = VLLMEngine(llm, chat)
        self._sleeps = args.vllm_enable_sleep_mode
        self._step_of_weights: int | None = None
        if self._sleeps:
            self._engine.sleep()
        accelerator.wait_for_everyone()

    def outdate(self) -> None:
        """The engine's weights are to be renewed."""
        self._step_of_weights = None

    @contextmanager
    def generating(self, policy: torch.nn.Module, step: int) -> Iterator[Engine]:
        """The engine, awake and up to date."""
        if self._sleeps:
            self._engine.wake_up()
        if step != self._step_of_weights:
            self._engine.load_weights(policy_weights(policy))
            self._step_of_weights = step
        try:
            yield self._engine
        finally:
            if self._sleeps:
                self._engine.sleep()


class ServedVLLM:
    """Replicas of vLLM's server, shared by all processes; new weights reach them through a folder or over NCCL."""

    def __init__(self, args: PixelGRPOConfig, chat: Chat, accelerator: Accelerator) -> None:
        self._args, self._chat, self._accelerator = args, chat, accelerator
        self._engine = ServerEngine(
            args.server_urls(), image_id=chat.image_id, end_id=chat.end_id, patience_s=args.vllm_server_timeout
        )
        tokens = self._engine.max_model_len()
        if args.max_tokens is not None and args.max_tokens > tokens:
            raise ConfigError(
                f"max_tokens is {args.max_tokens}, and the servers take conversations of {tokens} tokens. Lower "
                "max_tokens, or start `pixel-env serve` with a larger --max-model-len."
            )
        args.max_tokens = args.max_tokens or tokens
        self._folder = Path(args.output_dir).resolve() / "served_weights"
        self._nccl: NCCLWeights | None = None
        self._pushes = 0
        self._step_of_weights: int | None = None

    def outdate(self) -> None:
        """The engine's weights are to be renewed."""
        self._step_of_weights = None

    @contextmanager
    def generating(self, policy: torch.nn.Module, step: int) -> Iterator[Engine]:
        """The engine, with up-to-date replicas behind it."""
        if step != self._step_of_weights:
            match self._args.served_weights:
                case "disk":
                    self._hand_over_on_disk(policy, step)
                case "nccl":
                    self._send_over_nccl(policy)
            self._step_of_weights = step
        yield self._engine

    def _hand_over_on_disk(self, policy: torch.nn.Module, step: int) -> None:
        folder = self._folder / f"step-{step}"
        writes = self._accelerator.is_main_process
        save_weights(policy, self._chat.processor, folder, writes=writes)
        self._accelerator.wait_for_everyone()
        self._engine.use_weights(folder)
        self._accelerator.wait_for_everyone()
        if writes:  # a replica that comes back is given these
            for old in set(self._folder.iterdir()) - {folder}:
                shutil.rmtree(old)

    def _send_over_nccl(self, policy: torch.nn.Module) -> None:
        self._nccl = self._nccl or nccl_weights(self._args, policy, self._accelerator)
        self._pushes += 1
        version = f"{self._folder} {self._pushes}"
        self._nccl.push(version)
        self._accelerator.wait_for_everyone()
        self._engine.use_sent_weights(version)
        self._accelerator.wait_for_everyone()


def nccl_weights(args: PixelGRPOConfig, policy: torch.nn.Module, accelerator: Accelerator) -> "NCCLWeights":
    """What sends the policy's weights to the servers. Raises MissingExtraError without vLLM on the trainer's side."""
    try:
        from agents.engines.served.nccl_weights import NCCLWeights
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("weights over NCCL", "vllm") from error
    address = os.environ.get("MASTER_ADDR") or socket.gethostname()
    weights = partial(policy_weights, policy)
    return NCCLWeights(args.server_urls(), weights, rank=accelerator.process_index, address=address)


def check_vllm(args: PixelGRPOConfig) -> None:
    """Raises ConfigError or MissingExtraError for options that our engines do not serve, by name."""
    if args.vllm_mode == "server":
        return
    if args.vllm_tensor_parallel_size != 1:
        raise ConfigError(
            f"vllm_tensor_parallel_size is {args.vllm_tensor_parallel_size}: requests arrive as operations end, in "
            "another order on every process, which tensor parallelism does not allow. Set it to 1, or use "
            "vllm_mode='server', whose replicas may be parallel as they like."
        )
    if args.max_tokens is None and args.vllm_max_model_length is None:
        raise ConfigError("vLLM plans its memory by the longest conversation. Give max_tokens, pictures included.")
    if not is_vllm_available():
        raise MissingExtraError.needs("use_vllm", "vllm")


def check_fsdp(accelerator: Accelerator, *, use_vllm: bool) -> None:
    """Raises ConfigError for ways of using FSDP in which our engines cannot get the policy whole."""
    if not accelerator.is_fsdp2:
        raise ConfigError("FSDP 1 gives single parameters to nobody. Set fsdp_version to 2 in accelerate's config.")
    if not use_vllm:
        raise ConfigError("A policy that FSDP has split cannot generate by itself. Set use_vllm, or use DeepSpeed.")
