"""SenseNova-MARS, the crop tool alone, as its inference script evaluates.

Depends on the parts of a protocol; independent of other protocols.
"""

from agents.engines.protocol import Truncation
from benchmarks.protocols.protocol import PromptText, Protocol, Published
from pixel_env.episode import Limits

_README = "OpenSenseNova/SenseNova-MARS@ce052d7 README.md"
_8B, _32B = "SenseNova-MARS-8B", "SenseNova-MARS-32B"

SENSENOVA_MARS = Protocol(
    name="sensenova-mars",
    about="SenseNova-MARS: boxes on a grid of 1000 of the original",
    dialect="sensenova-mars",
    limits=Limits(50, 64),
    max_turn_tokens=4096,
    temperature=0.7,
    truncation=Truncation(top_p=0.8, top_k=20, presence_penalty=1.5),
    judge="rules that read a letter (extract_mcq_answer) in the last <answer>, else in the whole text",
    texts={
        "system": PromptText(
            "3bfa6266a07c2dbe40e34e78c23446fcba7b1127e3498c81059119e747125c43",
            "test_subset.json and inference/tools_eval.yaml",
            "input_template.arguments.system_prompt of vstar_bench, two line breaks, then load_tool_config of the YAML",
        )
    },
    published=(
        Published("V*", 92.2, None, f"{_README}:924", _8B),
        Published("HR-Bench 4K", 83.1, None, f"{_README}:925", _8B),
        Published("HR-Bench 8K", 78.4, None, f"{_README}:926", _8B),
        Published("MME-RealWorld", 67.9, None, f"{_README}:927", _8B),
        Published("V*", 94.2, None, f"{_README}:932", _32B),
        Published("HR-Bench 4K", 90.2, None, f"{_README}:933", _32B),
        Published("HR-Bench 8K", 86.6, None, f"{_README}:934", _32B),
        Published("MME-RealWorld", 72.7, None, f"{_README}:935", _32B),
    ),
    deviations=(
        "the crop is the only tool; theirs also offers a text search and an image search",
        "images are not limited there; the limit of 64 is not reached in 50 turns",
    ),
    repository="OpenSenseNova/SenseNova-MARS",
    commit="ce052d7efe599bf3af0e2db2dcfdbda7d0183704",
    sources={
        "dialect": "inference/eval.py",
        "limits": "inference/eval.sh:33, inference/eval.py:2247",
        "max_turn_tokens": "inference/eval.py:2246",
        "temperature": "inference/eval.py:2249",
        "truncation": "inference/eval.py:2250-2253",
        "samples": "inference/eval.py:2249",
        "budgets": "inference/eval.py:2258, :2259",
        "judge": "inference/eval.py:517, :383",
    },
)
