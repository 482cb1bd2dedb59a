"""Whether a model's output layer is the matrix of its input embeddings, and the note of it in its configuration.

Depends on transformers' configurations; independent of weights.
"""

from typing import Any


def is_tied(config: Any) -> bool:
    """Whether the model with this configuration has one matrix for both, as transformers decides it.

    It reads the configuration of the whole model, and that of the text model need not have the field.
    """
    return bool(getattr(config, "tie_word_embeddings", False))


def note_tied(config: Any, tied: bool) -> None:
    """Writes it into the configuration, and into that of the text model where it has the field."""
    config.tie_word_embeddings = tied
    if hasattr(text := config.get_text_config(), "tie_word_embeddings"):
        text.tie_word_embeddings = tied
