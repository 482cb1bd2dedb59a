"""DeepSpeed on CPUs, in the processes that torchrun started.

Depends on DeepSpeed and accelerate; independent of the trainers.
"""

import importlib
import os


def on_deepspeed():
    """DeepSpeed on CPUs: left to itself, accelerate takes every process for the only one."""
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    import deepspeed
    import torch.distributed
    from accelerate import PartialState

    # Else every new machine compiles DeepSpeed's sums over shared memory for minutes, and no training calls them.
    importlib.import_module("deepspeed.comm.torch").build_shm_op = lambda: None
    deepspeed.init_distributed(dist_backend="gloo")
    PartialState()
    rank = torch.distributed.get_rank()
    places = {"process_index": rank, "local_process_index": rank, "num_processes": torch.distributed.get_world_size()}
    PartialState._shared_state.update(places)


def deepspeed_options(stage):
    sizes = dict.fromkeys(["train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"], "auto")
    settings = {"zero_optimization": {"stage": stage}, "gradient_clipping": "auto", **sizes}
    return {"deepspeed": settings, "accelerator_config": {"use_configured_state": True}}
