"""Loaders of the engines that use a checkpoint's own tokenizer.

Depends on torch, transformers and the engines; independent of commands and training. `registry.py` names the loaders.
"""

from pathlib import Path

import torch

from agents.chat.chat import Chat
from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.merged_folder import whole_checkpoint
from agents.checkpoints.merging import load_whole_model
from agents.checkpoints.processor import load_processor
from agents.engines.choice import EngineChoice
from agents.engines.served.engine import ServerEngine
from agents.engines.served.replicas import addresses
from agents.engines.transformers import TransformersEngine
from agents.engines.vllm import VLLMEngine, load_vllm
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError


def load_transformers(choice: EngineChoice, dialect: Dialect) -> tuple[TransformersEngine, Chat]:
    """The loader of `--engine transformers`."""
    return load_engine(choice.model, dialect, dtype=choice.dtype, max_batch=choice.max_batch)


def load_vllm_in_process(choice: EngineChoice, dialect: Dialect) -> tuple[VLLMEngine, Chat]:
    """The loader of `--engine vllm`."""
    assert choice.max_tokens is not None, "the registry declares that it needs them"
    sizes = {"max_model_len": choice.max_tokens, "max_images": choice.max_images, "max_num_seqs": choice.max_batch}
    return load_vllm_engine(choice.model, dialect, dtype=choice.dtype, **sizes)


def load_server(choice: EngineChoice, dialect: Dialect) -> tuple[ServerEngine, Chat]:
    """The loader of `--engine server`: the replicas at `base_url` load the checkpoint, whatever they served before.

    Raises ConfigError for a model that is not a folder, and for conversations longer than the replicas accept.
    """
    folder = Path(whole_checkpoint(choice.model))
    if not folder.is_dir():
        raise ConfigError(
            f"The servers of --engine {choice.engine} load weights from a folder, and {choice.model!r} is not "
            f"one. Download it (hf download {choice.model} --local-dir FOLDER) and give --model FOLDER."
        )
    assert choice.base_url is not None, "the registry declares that it needs one"
    chat = Chat.from_pretrained(folder, dialect)
    engine = ServerEngine(addresses(choice.base_url), image_id=chat.image_id, end_id=chat.end_id)
    tokens = engine.max_model_len()
    if choice.max_tokens is not None and choice.max_tokens > tokens:
        engine.close()
        raise ConfigError(
            f"--max_tokens is {choice.max_tokens}, but the servers accept at most {tokens} tokens. Lower "
            "--max_tokens, or start `pixel-env serve` with a larger --max-model-len."
        )
    engine.use_weights(folder)
    return engine, chat


def load_engine(model: str, dialect: Dialect, *, dtype: str, max_batch: int) -> tuple[TransformersEngine, Chat]:
    """The engine and the chat format of a folder, a hub id or an embedded checkpoint, on the GPU if there is one."""
    loaded, chat = load_model(model, dialect, dtype=dtype)
    return TransformersEngine(loaded, chat, max_batch=max_batch), chat


def load_vllm_engine(model: str, dialect: Dialect, *, dtype: str, **sizes: int) -> tuple[VLLMEngine, Chat]:
    """The same with vLLM in this process; `sizes` are those of `load_vllm`."""
    folder = whole_checkpoint(model)
    chat = Chat.from_pretrained(folder, dialect)
    return VLLMEngine(load_vllm(folder, dtype=dtype, video_entry=dialect.video_entry, **sizes), chat), chat


def load_model(model: str, dialect: Dialect, *, dtype: str) -> tuple[torch.nn.Module, Chat]:
    """The model, ready to generate, and its chat format; an adapter is merged in memory.

    Raises ConfigError if there is no such folder.
    """
    folder = checked_model_folder(model)
    chat = Chat(load_processor(folder), dialect)
    return load_whole_model(folder, dtype).to("cuda" if torch.cuda.is_available() else "cpu"), chat
