"""LongVT (arXiv 2511.20785), as lmms-eval and its single-sample script play.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_SCRIPT = "examples/eval/single_inference.py"

LONGVT = Protocol(
    name="longvt",
    about="LongVT-RFT: segments in seconds, one frame a second",
    dialect="longvt",
    limits=Limits(6, 1024),
    max_turn_tokens=4096,
    judge="rules, then the judge Qwen3-235B-A22B where the answers differ",
    texts={
        "question": PromptText(
            "23979eec7ef63d057a5e761838f759ca1db5c5a3e70fe188e5f798a38fe7794a",
            "lmms_eval_tasks/longvt/utils.py",
            "value of TOOL_PROMPT",
            placed="{question} {text}",
        )
    },
    unpublished="README.md:575 names the set-up of the paper's numbers; the numbers themselves do not stand in it",
    deviations=(
        "six turns, as in the single-sample script; lmms-eval's loop has no limit",
        "images are not limited there; the limit here is 1,024",
        "one run is scored; theirs is the better of two limits of frames, 512 and 768 (README.md:582)",
        "the overview is what the task set holds; theirs has one frame a second",
    ),
    repository="EvolvingLMMs-Lab/LongVT",
    commit="08d755b973e4ad990ac5cdd64fb992c804d840db",
    sources={
        "dialect": "examples/video_tools/mcp_server.py",
        "limits": f"{_SCRIPT}:180",
        "max_turn_tokens": "lmms_eval_tasks/longvt/longvt_tool.yaml:15",
        "temperature": f"{_SCRIPT}:242, EvolvingLMMs-Lab/lmms-eval@75571cf lmms_eval/models/chat/async_openai.py:219",
        "samples": f"{_SCRIPT}:242",
        "judge": "README.md:585",
    },
)
