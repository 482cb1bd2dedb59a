"""VT-VisualReasoner (verl-tool), as its evaluation script plays, with the trainer's defaults of validation.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_DATA = "examples/data_preprocess/pixel_reasoner/vstar.py"

VT_VISUALREASONER = Protocol(
    name="vt-visualreasoner",
    about="verl-tool's Pixel Reasoner: pixels or fractions, decided by the numbers",
    dialect="vt-visualreasoner",
    limits=Limits(6, 64, 65_536),
    max_turn_tokens=4096,
    judge="math_verify on what is boxed",
    texts={
        "system": PromptText(
            "48f5c1d4cca1a7bf1a499e70b54fe0fe5eae072bd68069be0dd2aa354dffe528", _DATA, "value of system_prompt"
        ),
        "question": PromptText(
            "dc49d914c2489523aaa612cccd66e0cd051515a8add2c7357f8d1a4b2cb9164e",
            _DATA,
            "value of guideline",
            placed="{question}\n\n\n\n{text}",
        ),
    },
    unpublished="no benchmark number of this checkpoint is written in the repository",
    deviations=(
        "five calls and one turn more, in one count of six turns",
        "images are not limited there; the limit of 64 is not reached in 6 turns",
    ),
    repository="TIGER-AI-Lab/verl-tool",
    commit="980962b4b8af660eb96421df9ecf603a2f790570",
    sources={
        "dialect": "verl_tool/servers/tools/pixel_reasoner.py",
        "limits": "examples/train/pixel_reasoner/eval.sh:31, :23, :24",
        "max_turn_tokens": "examples/train/pixel_reasoner/eval.sh:49",
        "temperature": "verl/verl/trainer/config/rollout/rollout.yaml:130-142",
        "samples": "verl/verl/trainer/config/rollout/rollout.yaml:130-142",
        "budgets": "verl_tool/agent_loop/vision_process.py:27, :28",
        "judge": "verl_tool/workers/reward_manager/pixel_reasoner.py:48",
    },
)
