"""Which optional dependency group ("extra") installs a package.

Depends on the names in pyproject.toml; independent of the packages themselves, which it does not import.
"""

_EXTRA_OF_PACKAGE = {
    "accelerate": "train",
    "cachetools": "train",
    "datasets": "data",
    "httpx": "endpoint",
    "jinja2": "train",
    "peft": "train",
    "psutil": "train",
    "safetensors": "train",
    "tokenizers": "train",
    "torch": "train",
    "torchvision": "train",
    "transformers": "train",
    "trl": "train",
    "vllm": "vllm",
    "deepspeed": "deepspeed",
    "flash_attn": "flash-attn",
    "av": "video",
    "decord": "video",
    "filelock": "data",
    "huggingface_hub": "data",
    "math_verify": "released",
    "pandas": "logging",
    "pillow_heif": "heic",
    "pyarrow": "data",
    # Those of every installation; missing only if pip installed the package without its dependencies.
    "gymnasium": "",
    "numpy": "",
    "PIL": "",
    "tqdm": "",
    "yaml": "",
}
"""Module -> the smallest optional dependency group that installs it, empty for the base."""


def extra_with(module: str) -> str | None:
    """The smallest optional dependency group with `module` ("torch.nn" counts as torch); "" for the base, else None."""
    return _EXTRA_OF_PACKAGE.get(module.partition(".")[0])
