"""Adaptive-CoF, also Chain-of-Focus (arXiv 2505.15436), as its V* script evaluates.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol, Published
from pixel_env.episode import Limits

_SCRIPT = "eval/vstar/vllm_inference.py"

ADAPTIVE_COF = Protocol(
    name="adaptive-cof",
    about="CoF-rl-model-7b: boxes of the shown image, widened and magnified",
    dialect="adaptive-cof",
    limits=Limits(6, 6, 32_768),
    max_turn_tokens=512,
    judge="the judge Qwen2.5-VL-72B reads the whole text of the last turn",
    texts={
        "system": PromptText(
            "7741881df5c8718aa767b57ab9ac7db3bbeb584c949adf90658f7a1adae61aae", _SCRIPT, "value of SYSTEM_PROMPT"
        ),
        "question": PromptText(
            "085ffff308db0a2074bf62463c2c66c6b2909ac8141a4037d498fc21147bd6dc",
            _SCRIPT,
            "value of USER_PROMPT; its leading line break belongs to it",
            placed="Question: {question}{text}",
        ),
        "observation": PromptText(
            "085ffff308db0a2074bf62463c2c66c6b2909ac8141a4037d498fc21147bd6dc", _SCRIPT, "value of USER_PROMPT"
        ),
    },
    published=(
        Published("V*", 88.0, 1, "reported by Mini-o3/Mini-o3@8654dbf README.md:209; not in its own repository"),
    ),
    repository="xtong-zhang/Chain-of-Focus",
    commit="431ff0dd703f83d8a624ec1ba1d2ef6a834b78bc",
    sources={
        "dialect": _SCRIPT,
        "limits": f"{_SCRIPT}:275, :87, :86",
        "max_turn_tokens": f"{_SCRIPT}:399",
        "temperature": f"{_SCRIPT}:273",
        "samples": f"{_SCRIPT}:273",
        "budgets": f"{_SCRIPT}:35, :403",
        "judge": f"{_SCRIPT}:353, README.md",
    },
)
