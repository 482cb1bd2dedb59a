"""ViGoRL (arXiv 2505.23678), multi-turn visual search, as its evaluation script plays.

Depends on the parts of a protocol; independent of other protocols.
"""

from agents.engines.protocol import Truncation
from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.episode import Limits

_SCRIPT = "scripts/evaluation/eval_multiturn.sh"

VIGORL = Protocol(
    name="vigorl",
    about="ViGoRL-Multiturn: a point, whose surroundings come back; the answer is forced after four turns",
    dialect="vigorl",
    limits=Limits(5, 30),
    max_turn_tokens=2048,
    temperature=0.5,
    truncation=Truncation(top_p=0.99),
    judge="string_match; a rollout whose turns fail its check of the format is wrong",
    texts={
        "system": PromptText(
            "cd54f6e2892554baccebcfa16a48edadf1c0796f5c520de15cb7531d20c5ced5",
            _SCRIPT,
            'SYSTEM_PROMPT_VSTAR as bash hands it on: the text between the triple quotes with every \\" turned into a '
            "plain quote; \\n stays a backslash and an n",
        )
    },
    unpublished="the repository writes no V* number",
    deviations=(
        "the forced last turn is sampled as the others are; theirs is greedy",
        "the format of the turns before the answer is not graded",
    ),
    repository="Gabesarch/grounded-rl",
    commit="e7970c0f9b0647196df53091a6590848496957b1",
    sources={
        "dialect": "src/vlmsearch/tree_search/single_path_rollouts.py",
        "limits": f"{_SCRIPT}:64, scripts/vllm/serve_qwen.sh:25, src/vlmsearch/models/qwen_vllm.py:218 (a fifth turn "
        "that is forced)",
        "max_turn_tokens": f"{_SCRIPT}:70",
        "temperature": f"{_SCRIPT}:8",
        "truncation": f"{_SCRIPT}:9",
        "samples": f"{_SCRIPT}:7",
        "budgets": f"{_SCRIPT}:59, scripts/vllm/serve_qwen.sh:26",
        "judge": "src/vlmsearch/reward_funcs/judge.py:497",
    },
)
