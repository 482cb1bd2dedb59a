"""The processor of a model: of the adapter's folder where it holds one, else of what it adapts.

Depends on transformers; independent of weights.
"""

from pathlib import Path
from typing import Any

from transformers import AutoProcessor, AutoTokenizer

from agents.checkpoints.adapters import adapter_of
from agents.checkpoints.names import model_folder

PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def load_processor(model: str, **options: Any) -> Any:
    """The processor of a folder, a hub id or an embedded checkpoint; `options` are those of `from_pretrained`.

    An adapter's folder may hold a tokenizer alone: then the rest is of its base.
    """
    options = {"trust_remote_code": False, **options}
    adapter = adapter_of(model)
    if adapter is None or _has(adapter.folder, PROCESSOR_FILES):
        return AutoProcessor.from_pretrained(model_folder(model), **options)
    processor = load_processor(adapter.base, **options)
    if _has(adapter.folder, TOKENIZER_FILES):
        processor.tokenizer = AutoTokenizer.from_pretrained(adapter.folder, **options)
        processor.chat_template = processor.tokenizer.chat_template or processor.chat_template
    return processor


def _has(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)
