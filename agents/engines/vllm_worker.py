"""What our engines add to vLLM's worker: weights that are renewed whole. `--worker-extension-cls` names the class.

Depends on vLLM's worker, in whose process it is imported.
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
        """New weights from a checkpoint folder or an iterator, and for what vLLM has computed from the old ones."""
        if weights_path is not None and not any(Path(weights_path).glob("*.safetensors")):
            raise FileNotFoundError(f"{weights_path} holds no *.safetensors, seen from this server")
        self.reload_weights(weights_path=weights_path, weights_iterator=weights_iterator)
        _renew_tied_head(self.model_runner.get_model())


def _renew_tied_head(model: torch.nn.Module) -> None:
    """On a CPU, vLLM 0.31 computes logits from a packed copy of the head, which stays old if the head is tied."""
    from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead

    for layer in model.modules():
        if isinstance(layer, ParallelLMHead) and hasattr(layer, "cpu_linear"):
            layer.quant_method.process_weights_after_loading(layer)
