"""VisionThink-Efficient (arXiv 2507.13348), as its lmms-eval model plays: half of each side, then all of it on request.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_SCRIPT = "scripts/vllm_tool.py"

VISIONTHINK = Protocol(
    name="visionthink",
    about="VisionThink-Efficient: the image at half of each side, the whole one on request",
    dialect="visionthink",
    limits=Limits(2, 2, 32_768),
    max_turn_tokens=8192,
    judge="lmms-eval's own of each benchmark, on what stands between the marks of all turns",
    texts={
        "system": PromptText(
            "e730df60665863e39ad32375eb0392f6a1f781ec09c27b8dad9cc0010b3702c0",
            _SCRIPT,
            "value of TOOL_CALL_SYSTEM_PROMPT",
        ),
        "question": PromptText(
            "012af3ba67bace5ed4f1f4a743b741a10031c3a9803d33e89e85989c404fe8ad",
            _SCRIPT,
            "prompt_template in generate_until, first branch: the text before the question, <image> and the line break "
            "at its end included",
            placed="{text}{question}",
            slots={"<image>": "{images}"},
        ),
        "observation": PromptText(
            "bd6ca92d47a119b54add3225e9ba4e275a779fa17c65ca8e4bbf17b91b7aa2bd",
            _SCRIPT,
            "value of TOOL_CALL_MULTI_TRUN_PROMPT",
        ),
        "failure": PromptText(
            "45cd090790afb463c38487c608fa1945ea99815480fb2bbc02c1af5cc327b290",
            _SCRIPT,
            "value of ERROR_INFO_MULTI_TURN_PROMPT",
        ),
    },
    unpublished="the repository's README writes no V* or HR-Bench number; its figures are images",
    deviations=("the answer is read in the last turn alone; theirs joins all turns",),
    repository="dvlab-research/VisionThink",
    commit="42afd8c34a4efffeb9811368469d3d890efdedf3",
    sources={
        "dialect": _SCRIPT,
        "limits": f"{_SCRIPT}:84, :105, README.md:145",
        "max_turn_tokens": f"{_SCRIPT}:243",
        "temperature": f"{_SCRIPT}:237",
        "samples": f"{_SCRIPT}:237",
        "budgets": f"{_SCRIPT}:168",
        "judge": "README.md:159",
    },
)
