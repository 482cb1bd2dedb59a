"""The extension of vLLM's worker that replaces all weights. `--worker-extension-cls` names the class.

Depends on vLLM's worker, in whose process it is imported; independent of engines.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


class ReloadingWorker:
    """Mixed into vLLM's worker."""

    reload_weights: Any
    model_runner: Any

    def renew_weights(
        self, weights_path: str | None = None, weights_iterator: Iterator[tuple[str, torch.Tensor]] | None = None
    ) -> None:
        """Loads weights from a checkpoint folder or an iterator, and updates what vLLM computed from the old ones."""
        if weights_path is not None and not any(Path(weights_path).glob("*.safetensors")):
            raise FileNotFoundError(
                f"{weights_path} has no *.safetensors on this server. Give a folder that the server can read."
            )
        self.reload_weights(weights_path=weights_path, weights_iterator=weights_iterator)
        _renew_tied_head(self.model_runner.get_model())


def _renew_tied_head(model: torch.nn.Module) -> None:
    """On a CPU, vLLM 0.31 computes logits from a packed copy of the head, which a tied head does not update."""
    from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead

    for layer in model.modules():
        if isinstance(layer, ParallelLMHead) and hasattr(layer, "cpu_linear"):
            layer.quant_method.process_weights_after_loading(layer)
