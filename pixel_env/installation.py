"""Which optional dependency group ("extra") brings a package.

Depends on the names in pyproject.toml; independent of the packages themselves, which it does not import.
"""

_EXTRA_OF_PACKAGE = {
    "accelerate": "train",
    "cachetools": "train",
    "datasets": "train",
    "httpx": "train",
    "peft": "train",
    "psutil": "train",
    "safetensors": "train",
    "tokenizers": "train",
    "torch": "train",
    "torchvision": "train",
    "tqdm": "train",
    "transformers": "train",
    "trl": "train",
    "yaml": "train",
    "vllm": "vllm",
    "openai": "endpoint",
    "deepspeed": "deepspeed",
    "flash_attn": "flash-attn",
    "av": "video",
    "decord": "video",
    "huggingface_hub": "data",
    "math_verify": "released",
    "pyarrow": "data",
}


def extra_that_brings(module: str) -> str | None:
    """The optional dependency group with `module` ("torch.nn" counts as torch), or None if no group has it."""
    return _EXTRA_OF_PACKAGE.get(module.partition(".")[0])
