"""Engines that generate a trainer's turns with the policy's weights: vLLM in each process, or on a server.

An engine of your own is a class like these two, named by its `EngineSpec.trainer`. Depends on TRL's options for vLLM
and on optimizer steps; independent of rollouts, rewards and losses.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from accelerate import Accelerator

from agents.chat.chat import Chat
from agents.engines.protocol import Engine
from agents.engines.registry import engine_named, engines_that
from agents.engines.served.engine import ServerEngine
from agents.engines.vllm import VLLMEngine, load_vllm
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.policy_weights import policy_weights, save_weights
from pixel_env.errors import ConfigError, MissingExtraError
from pixel_env.import_callable import imported

if TYPE_CHECKING:
    from agents.engines.served.nccl_weights import NCCLWeights


class TrainerEngine(Protocol):
    """An engine that is not the policy itself and has to receive its weights.

    It is made in every process, once the policy is loaded: `model` as the trainer has it, `chat` its chat format.
    """

    def __init__(self, args: PixelGRPOConfig, model: Any, chat: Chat, accelerator: Accelerator) -> None: ...

    @classmethod
    def check(cls, args: PixelGRPOConfig) -> None:
        """Called before anything is loaded. Raises ConfigError for options that the engine does not support."""

    def generating(self, policy: torch.nn.Module, step: int) -> AbstractContextManager[Engine]:
        """A context: the engine, with the weights that `policy` (unwrapped) has at optimizer step `step`."""
        ...

    def outdate(self) -> None:
        """Marks the engine's weights as old: the policy has changed without a step."""


def trainer_engine(name: str, args: PixelGRPOConfig) -> type[TrainerEngine]:
    """The class of the engine that `engine` names, to be made once the policy is loaded.

    Raises ConfigError or MissingExtraError for an engine that cannot generate for this trainer.
    """
    spec = engine_named(name)
    lacks = {
        "does not accept the weights of a policy in training": spec.trainer is None,
        "returns no log-probabilities, which the loss needs to correct for the sampler": not spec.returns_log_probs,
        "cannot ban tokens, which the loss assumes": not spec.can_ban_tokens,
    }
    reason = next((reason for reason, is_so in lacks.items() if is_so), None)
    if reason is not None or spec.trainer is None:
        raise ConfigError(
            f"The engine {name!r} {reason}. Leave engine out, so that the policy itself generates, or give one of "
            f"{engines_that(lambda other: other.trainer is not None)}."
        )
    if spec.needs_max_tokens and args.max_tokens is None:
        raise ConfigError(
            f"The engine {name!r} plans its memory for the longest conversation. Give max_tokens, images included."
        )
    spec.check_installed()
    made: type[TrainerEngine] = imported(spec.trainer, f"trainer of the engine {name!r},")
    made.check(args)
    return made


class ColocatedVLLM:
    """vLLM in the trainer's process, one engine in each; it loads the weights when the policy has changed."""

    @classmethod
    def check(cls, args: PixelGRPOConfig) -> None:
        """Raises ConfigError for tensor parallelism in the trainer's processes."""
        if args.vllm_tensor_parallel_size != 1:
            raise ConfigError(
                f"vllm_tensor_parallel_size is {args.vllm_tensor_parallel_size}; wanted: 1, because requests arrive in "
                "a different order on every process, which tensor parallelism does not allow. Set it to 1, or use "
                "vllm_mode='server', whose replicas may use any tensor parallel size."
            )

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
        """Marks the engine's weights as old."""
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

    @classmethod
    def check(cls, args: PixelGRPOConfig) -> None:
        """Refuses nothing: whether the servers answer is checked when the engine is made."""

    def __init__(self, args: PixelGRPOConfig, model: Any, chat: Chat, accelerator: Accelerator) -> None:
        self._args, self._chat, self._accelerator = args, chat, accelerator
        self._engine = ServerEngine(
            args.server_urls(), image_id=chat.image_id, end_id=chat.end_id, patience_s=args.vllm_server_timeout
        )
        tokens = self._engine.max_model_len()
        if args.max_tokens is not None and args.max_tokens > tokens:
            raise ConfigError(
                f"max_tokens is {args.max_tokens}, but the servers accept at most {tokens} tokens. Lower "
                "max_tokens, or start `pixel-env serve` with a larger --max-model-len."
            )
        args.max_tokens = args.max_tokens or tokens
        self._folder = Path(args.output_dir).resolve() / "served_weights"
        self._nccl: NCCLWeights | None = None
        self._pushes = 0
        self._step_of_weights: int | None = None

    def outdate(self) -> None:
        """Marks the engine's weights as old."""
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
        if writes:  # a restarted replica loads these
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
    """Sends the policy's weights to the servers. Raises MissingExtraError if vLLM is not installed for the trainer."""
    try:
        from agents.engines.served.nccl_weights import NCCLWeights
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("weights over NCCL", "vllm") from error
    address = os.environ.get("MASTER_ADDR") or socket.gethostname()
    weights = partial(policy_weights, policy)
    return NCCLWeights(args.server_urls(), weights, rank=accelerator.process_index, address=address)


def check_fsdp(accelerator: Accelerator, *, has_engine: bool) -> None:
    """Raises ConfigError for uses of FSDP in which our engines cannot gather the policy's weights."""
    if not accelerator.is_fsdp2:
        raise ConfigError("FSDP 1 cannot gather single parameters. Set fsdp_version to 2 in accelerate's config.")
    if not has_engine:
        raise ConfigError(
            "A policy that is sharded with FSDP cannot generate by itself. Set use_vllm, or use DeepSpeed."
        )
