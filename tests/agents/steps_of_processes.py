"""Training steps in as many processes as torchrun starts: those of GRPO's cases and that of the warm start.

Starting a process takes far longer than a step, so each set of processes makes all of them, each with a model of its
own. The figures of a step are left in the folder under its name.
"""

import json
import os
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "DS_ACCELERATOR": "cpu"}

from accelerate.state import AcceleratorState

from tests.agents.deepspeed_on_cpu import on_deepspeed
from tests.agents.grpo import two_processes as grpo
from tests.agents.sft import two_process_sft as sft


def main(checkpoint, folder, stage, cases, rows):
    if int(stage):
        on_deepspeed()
    for name, case in json.loads(cases).items():
        grpo.make_step(checkpoint, folder, int(stage), name, grpo.Case(**case))
        if int(stage):
            AcceleratorState._reset_state()  # else the next trainer may not bring DeepSpeed's settings
    trainer = sft.make_step(checkpoint, folder, int(stage), int(rows))
    # Left to the interpreter's exit, gloo's threads now and then abort a process that has done all its work.
    trainer.accelerator.end_training()


if __name__ == "__main__":
    main(*sys.argv[1:])
