"""VideoZoomer (arXiv 2512.22315), as its evaluation script plays.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_SCRIPT = "scripts/eval_video.sh"

VIDEOZOOMER = Protocol(
    name="videozoomer",
    about="VideoZoomer: segments in seconds at a rate, sampled at temperature 1",
    dialect="videozoomer",
    limits=Limits(5, 128, 32_768),
    max_turn_tokens=4096,
    temperature=1.0,
    judge="rules on what is boxed between the last <answer> and </answer>",
    texts={
        "system": PromptText(
            "8b3e2a0e3f49c327814de02a125eae42dc9066a4a86d7f3be1916244a3e7e761",
            _SCRIPT,
            'data.system_prompt at line 27 between its quotes, with \\" read as a quotation mark and nothing else '
            "changed (\\n and \\\\boxed{{}} stay as written)",
        )
    },
    unpublished="no number stands in the repository; the paper was not read",
    deviations=(
        "the overview is what the task set holds; theirs has 0.5 frames a second, at most 64",
        "128 images count a video as one; theirs count each frame of the overview",
        "their script asks for greedy validation, but its engine samples at the configuration's temperature, as here",
    ),
    repository="zsgvivo/VideoZoomer",
    commit="56381538bbde43d6d3417b54f727784958a4e316",
    sources={
        "dialect": "verl/workers/rollout/vllm_rollout/vllm_rollout_spmd_video.py",
        "limits": f"{_SCRIPT}:55, :70, :54",
        "max_turn_tokens": f"{_SCRIPT}:16",
        "temperature": "verl/trainer/config/ppo_trainer.yaml:82, verl/trainer/ppo/ray_trainer.py:984, "
        "verl/workers/rollout/vllm_rollout/vllm_rollout_spmd_video.py:263",
        "samples": "verl/trainer/config/ppo_trainer.yaml:82",
        "judge": "verl/utils/reward_score/general_qa.py:140",
    },
)
