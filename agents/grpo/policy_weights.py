"""The policy's weights for an engine: one whole parameter at a time, under its name in transformers' class.

A consumer that releases each tensor before it takes the next never holds a whole copy of the model. Depends on how
ZeRO-3, FSDP 2 and LoRA store parameters; independent of engines.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from agents.checkpoints.tied_embeddings import is_tied
from pixel_env.errors import ConfigError

_WRAPPERS = ("base_model.model.", "_checkpoint_wrapped_module.", "_orig_mod.", "modules_to_save.default.")
_ADAPTERS = ("lora_", "original_module", "modules_to_save.")


def policy_weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of `model` (unwrapped); adapters are merged into the weights that they adapt.

    Every process that shares a sharded model has to consume the iterator, in step with the others. Raises ConfigError
    for adapters whose sum an engine cannot load.
    """
    _check_shared(model)
    adapted = {f"{name}.base_layer.weight": module for name, module in model.named_modules() if _adapts(module)}
    for name, parameter in model.named_parameters():
        if name in adapted:
            layer = adapted[name]
            with _whole([parameter, *_adapter_parameters(layer)]):
                yield _plain(name), _merged(layer)
        elif not any(part in name.replace("modules_to_save.default.", "") for part in _ADAPTERS):
            with _whole([parameter]):
                yield _plain(name), _full(parameter).detach()


def save_weights(model: Any, processor: Any, folder: Path, *, writes: bool, shard_bytes: int = 4 * 10**9) -> None:
    """Writes a checkpoint folder of what `policy_weights` yields, with about `shard_bytes` in memory at a time.

    Every process has to call it; only the one with `writes` writes the files.
    """
    shard: dict[str, torch.Tensor] = {}
    files: dict[str, str] = {}
    held = total = 0

    def flush() -> None:
        nonlocal held
        name = f"model-{len(set(files.values())):05d}.safetensors"
        save_file(shard, folder / name, metadata={"format": "pt"})
        files.update(dict.fromkeys(shard, name))
        shard.clear()
        held = 0

    if writes:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.safetensors"):
            old.unlink()
    for name, tensor in policy_weights(model):
        if not writes:
            continue
        shard[name] = tensor.detach().cpu().clone().contiguous()
        held += shard[name].nbytes
        total += shard[name].nbytes
        if held >= shard_bytes:
            flush()
    if writes:
        flush()
        index = {"metadata": {"total_size": total}, "weight_map": files}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        config = copy.deepcopy(model.config)
        config.__dict__.pop("quantization_config", None)  # quantized weights are written dequantized
        config.save_pretrained(folder)
        processor.save_pretrained(folder)


def _check_shared(model: Any) -> None:
    """Raises ConfigError if the embeddings are the output layer's weights and an adapter changes one of them alone."""
    if not is_tied(model.config):
        return
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        if hasattr(layer, "base_layer") or hasattr(layer, "modules_to_save"):
            raise ConfigError(
                "The model shares one matrix between its embeddings and its output layer, an adapter changes one of "
                "them, and an engine loads one for both. Leave them out of lora_target_modules and "
                "lora_modules_to_save, or let the policy itself generate (use_vllm false)."
            )


def _adapts(module: torch.nn.Module) -> bool:
    return hasattr(module, "get_delta_weight") and hasattr(module, "base_layer")


def _adapter_parameters(layer: Any) -> list[torch.nn.Parameter]:
    return [parameter for name, parameter in layer.named_parameters() if not name.startswith("base_layer.")]


def _merged(layer: Any) -> torch.Tensor:
    """The adapted layer's weight with its active adapters; the layer stays as it is."""
    weight = _full(layer.get_base_layer().weight).detach()
    if layer.merged or layer.disable_adapters:
        return weight
    if getattr(layer, "lora_variant", None):
        raise ConfigError("the engine supports plain LoRA only, not DoRA or other variants. Leave use_dora out.")
    for adapter in layer.active_adapters:
        weight = weight + _full(layer.get_delta_weight(adapter)).detach().to(weight)
    return weight


def _whole(parameters: Sequence[torch.nn.Parameter]) -> AbstractContextManager[Any]:
    """A context in which parameters that ZeRO-3 has sharded are whole in every process."""
    if not any(hasattr(parameter, "ds_id") for parameter in parameters):
        return nullcontext()
    import deepspeed

    gathered: AbstractContextManager[Any] = deepspeed.zero.GatheredParameters(list(parameters))
    return gathered


def _full(parameter: Any) -> torch.Tensor:
    if hasattr(parameter, "quant_state"):
        from peft.utils.integrations import dequantize_bnb_weight

        dense: torch.Tensor = dequantize_bnb_weight(parameter, state=parameter.quant_state)
        return dense
    whole: torch.Tensor = parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter
    return whole


def _plain(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return name.replace(".base_layer.", ".")
