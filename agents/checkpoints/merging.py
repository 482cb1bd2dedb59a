"""A base model with its adapter: as PEFT's model, which is trained on, or merged into one model without PEFT.

Depends on PEFT and transformers; independent of where a merged model is kept.
"""

import warnings
from typing import Any, NoReturn

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForImageTextToText

from agents.checkpoints.adapters import WEIGHTS_NAME, Adapter, adapter_of, base_chain
from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.loading import loading
from agents.checkpoints.tied_embeddings import is_tied, note_tied
from pixel_env.errors import ConfigError


def load_whole_model(model: str, dtype: str, *, base_of: str = "") -> torch.nn.Module:
    """The model without PEFT, in evaluation mode: adapters are merged, one after the other.

    `dtype`: precision of the base, in which the adapter's change is added to it; "auto": its own. `base_of`: the
    adapter whose base `model` is, for messages. Raises ConfigError for what cannot be loaded or merged.
    """
    folder = checked_model_folder(model)
    adapter = adapter_of(folder)
    if adapter is None:
        with loading(model, base_of=base_of):
            loaded: torch.nn.Module = AutoModelForImageTextToText.from_pretrained(
                folder, dtype=dtype, trust_remote_code=False
            )
        return loaded.eval()
    check_mergeable(adapter)
    base = load_whole_model(adapter.base, dtype, base_of=str(adapter.folder))
    return _summed(with_adapter(_untied(base), adapter))


def check_mergeable(adapter: Adapter) -> None:
    """Raises ConfigError for an adapter of quantized weights: a merged weight would be rounded to their few bits."""
    whole = base_chain(str(adapter.folder))[-1]
    with loading(whole, base_of=str(adapter.folder)):
        config = AutoConfig.from_pretrained(whole, trust_remote_code=False)
    if getattr(config, "quantization_config", None) is not None:
        raise ConfigError(
            f"{adapter.folder} adapts {whole}, whose weights are quantized: a sum would be rounded to their few bits. "
            f"Write the model that was quantized into {adapter.config_file} as base_model_name_or_path."
        )


def adapter_config(adapter: Adapter) -> Any:
    """PEFT's configuration of an adapter. Raises ConfigError for a kind that is no change of weights."""
    from peft import PeftConfig  # late: it takes seconds, and only adapters need it

    with loading(str(adapter.folder)):
        config = PeftConfig.from_pretrained(adapter.folder)
    if config.is_prompt_learning:
        raise ConfigError(
            f"{adapter.folder} is of PEFT's kind {config.peft_type.value}, which changes the prompt and no weights. "
            "Give an adapter that changes weights, such as LoRA."
        )
    config.base_model_name_or_path = adapter.base  # where it was found, which a folder elsewhere finds, too
    return config


def with_adapter(
    base: torch.nn.Module, adapter: Adapter, *, config: Any = None, trains: bool = False, keeps_dtype: bool = False
) -> Any:
    """PEFT's model of `base` and the adapter; `trains`: the adapter's weights, and nothing else, are trained.

    `config`: PEFT's, if not the adapter's own. `keeps_dtype`: the adapter's weights get the base's precision; else
    those of 16 bits become float32. Raises ConfigError for weights that do not fit the base.
    """
    from peft import PeftModel

    config = adapter_config(adapter) if config is None else config
    with loading(str(adapter.folder)), warnings.catch_warnings():
        # Missing keys are told of below, and a base that is merged has an output layer of its own.
        warnings.filterwarnings("ignore", message="Found missing adapter keys|Model (has|with) `tie_word_embeddings")
        try:
            model = PeftModel.from_pretrained(
                base, adapter.folder, is_trainable=trains, config=config, autocast_adapter_dtype=not keeps_dtype
            )
        except RuntimeError as error:
            if "size mismatch" not in str(error):
                raise
            _refuse_base(adapter, str(error).splitlines()[1].strip())
    _check_complete(model, adapter)
    return model


def _check_complete(model: Any, adapter: Adapter) -> None:
    """Raises ConfigError if weights of the file have no place in the model, or places of the adapter no weights."""
    from peft import get_peft_model_state_dict

    with safe_open(adapter.folder / WEIGHTS_NAME, "pt") as file:
        written = set(file.keys())
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    if absent := sorted(wanted - written):
        _refuse_base(adapter, f"the adapter has no {absent[0]} ({len(absent)} such weights)")
    if without_place := sorted(written - wanted - set(model.state_dict())):
        _refuse_base(adapter, f"the base has no place for {without_place[0]} ({len(without_place)} such weights)")


def _refuse_base(adapter: Adapter, reason: str) -> NoReturn:
    raise ConfigError(
        f"The adapter {adapter.folder} does not fit its base {adapter.base}: {reason}. Write the model that it was "
        f"trained on into {adapter.config_file} as base_model_name_or_path."
    )


def _summed(model: Any) -> torch.nn.Module:
    """The sum, without PEFT. Its output layer shares the embeddings again where both are still equal."""
    was_tied = is_tied(model.config)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Input and output embeddings are no|Model with `tie_word")
        merged: Any = model.eval().merge_and_unload(safe_merge=True)
    if was_tied:
        into, out = merged.get_input_embeddings(), merged.get_output_embeddings()
        if is_equal := torch.equal(into.weight, out.weight):
            out.weight = into.weight
        note_tied(merged.config, is_equal)
    whole: torch.nn.Module = merged.eval()
    return whole


def _untied(model: Any) -> Any:
    """The model with an output layer of its own: an adapter may change it and not the embeddings that it shares."""
    if is_tied(model.config):
        model.get_output_embeddings().weight = torch.nn.Parameter(model.get_input_embeddings().weight.detach().clone())
    return model
