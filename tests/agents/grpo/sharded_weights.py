"""FSDP 2 in as many processes as torchrun starts: whether an engine is given whole parameters."""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from agents.checkpoints.tiny import load
from agents.grpo.policy_weights import policy_weights


def main(checkpoint, file):
    torch.distributed.init_process_group("gloo")
    model, _ = load(checkpoint)
    whole = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    mesh = init_device_mesh("cpu", (torch.distributed.get_world_size(),))
    for layer in model.model.language_model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    kept = sum(weight.to_local().numel() for weight in model.parameters())
    same = {name: torch.equal(weight, whole[name]) for name, weight in policy_weights(model)}
    if torch.distributed.get_rank() == 0:
        total = sum(weight.numel() for weight in whole.values())
        Path(file).write_text(json.dumps({"same": same, "names": sorted(whole), "share": kept / total}))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
