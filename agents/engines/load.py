"""A checkpoint as an engine and its chat format: what evaluation needs of a model, and nothing of training."""

import torch
from transformers import AutoModelForImageTextToText

from agents.chat.chat import Chat
from agents.checkpoints.names import checked_model_folder
from agents.engines.transformers import TransformersEngine
from agents.engines.vllm import VLLMEngine, load_vllm
from pixel_env.dialects.dialect import Dialect


def load_engine(model: str, dialect: Dialect, *, dtype: str, max_batch: int) -> tuple[TransformersEngine, Chat]:
    """The engine and the chat format of a folder, a hub id or an embedded checkpoint, on the GPU if there is one."""
    loaded, chat = load_model(model, dialect, dtype=dtype)
    return TransformersEngine(loaded, chat, max_batch=max_batch), chat


def load_vllm_engine(model: str, dialect: Dialect, *, dtype: str, **sizes: int) -> tuple[VLLMEngine, Chat]:
    """The same with vLLM in this process; `sizes` are those of `load_vllm`."""
    folder = checked_model_folder(model)
    chat = Chat.from_pretrained(folder, dialect)
    return VLLMEngine(load_vllm(folder, dtype=dtype, video_entry=dialect.video_entry, **sizes), chat), chat


def load_model(model: str, dialect: Dialect, *, dtype: str) -> tuple[torch.nn.Module, Chat]:
    """The model, ready to generate, and its chat format. Raises ConfigError if there is no such folder."""
    folder = checked_model_folder(model)
    chat = Chat.from_pretrained(folder, dialect)
    loaded: torch.nn.Module = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype)
    return loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval(), chat
