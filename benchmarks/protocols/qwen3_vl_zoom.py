"""Qwen3-VL's zoom tool, as the cookbook and Qwen-Agent play it.

Depends on the parts of a protocol; independent of other protocols.
"""

from agents.engines.protocol import Truncation
from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_COOKBOOK = "cookbooks/think_with_images.ipynb (QwenLM/Qwen3-VL), second code cell"

QWEN3_VL_ZOOM = Protocol(
    name="qwen3-vl-zoom",
    about="Qwen3-VL with the zoom tool of its cookbook: boxes on a grid of 1000",
    dialect="qwen3-vl-zoom",
    limits=Limits(20, 512),
    max_turn_tokens=32_768,
    temperature=0.7,
    truncation=Truncation(top_p=0.8, top_k=20, presence_penalty=1.5),
    judge="none: the cookbook has no scorer",
    texts={
        "system": PromptText(
            "757e554cff95a63e0f74e9e714e7648642ac0cf6d1e040c4b9d2c8bafd2c6ffa",
            "cookbooks/think_with_images.ipynb (QwenLM/Qwen3-VL) and qwen_agent/llm/fncall_prompts/"
            "nous_fncall_prompt.py",
            "value of analysis_prompt, two line breaks, then FN_CALL_TEMPLATE with the tool's description as one JSON "
            "line: the system message that the model receives",
        )
    },
    unpublished="no number of this loop is written in the two repositories; the 8B model's 86.4 on V* in other tables "
    "is of direct answers (OpenSenseNova/SenseNova-MARS README)",
    deviations=(
        "the question follows the image; theirs has the image's file name before it",
        "images are not limited there; the limit here is 512",
    ),
    repository="QwenLM/Qwen-Agent",
    commit="31a4d36d123688581a9e9744427272b33ce940e0",
    sources={
        "dialect": "qwen_agent/tools/image_zoom_in_qwen3vl.py",
        "limits": "qwen_agent/settings.py:24",
        "max_turn_tokens": "QwenLM/Qwen3-VL@9658872 README.md:1147",
        "temperature": _COOKBOOK,
        "samples": _COOKBOOK,
        "truncation": _COOKBOOK,
        "budgets": "qwen_agent/llm/qwenvl_oai.py:109, qwen_agent/tools/image_zoom_in_qwen3vl.py:168",
    },
)
