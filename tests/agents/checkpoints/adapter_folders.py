"""Adapter folders for tests: of the embedded base, with random weights, as PEFT saves them."""

import json
import shutil
import warnings

import peft
import torch
from transformers import AutoModelForImageTextToText

from agents.checkpoints.adapters import CONFIG_NAME
from agents.checkpoints.names import model_folder

IDS = torch.tensor([[5, 6, 7, 8]])
BASE_FILES = ("processor_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def adapted(base="tiny-base", dtype=torch.float32, seed=0, **options):
    """PEFT's model of the base, every weight of its adapter random."""
    options = {"target_modules": ["q_proj", "v_proj"], "lora_dropout": 0.5, "init_lora_weights": False, **options}
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_pretrained(model_folder(str(base)), dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=4, **options)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".modules_to_save." in name:
                weight.add_(0.1 * torch.randn_like(weight))
    return model


def save(model, folder, base=None, **files):
    """The folder; `base`: what its configuration names instead; `files`: their texts by name, with _ for the dot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)
    if base is not None:
        set_config(folder, base_model_name_or_path=str(base))
    for name, text in files.items():
        (folder / name.replace("_json", ".json")).write_text(text, encoding="utf-8")
    return folder


def set_config(folder, **fields):
    file = folder / CONFIG_NAME
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | fields), encoding="utf-8")


def with_processor(folder, names=BASE_FILES):
    for name in names:
        shutil.copy(f"{model_folder('tiny-base')}/{name}", folder / name)
    return folder


def logits(model):
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits.float()
