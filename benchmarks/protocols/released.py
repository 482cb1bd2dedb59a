"""Pixel Reasoner itself (arXiv 2505.15966), as the released code evaluates.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol, Published
from pixel_env.episode import Limits

_LOOP = "curiosity_driven_rl/openrlhf/trainer/ppo_utils/experience_maker.py"
_PAPER = "reported by the paper, arXiv 2505.15966; not written in the repository"
_RERUN = "Mini-o3/Mini-o3@8654dbf README.md:210"

RELEASED = Protocol(
    name="released",
    about="PixelReasoner-RL-v1 in the loop of the released code",
    dialect="released",
    limits=Limits(5, 16, 12_088),
    max_turn_tokens=8192,
    scorer="released",
    judge="math_verify on all turns (rule_reward), which the scorer 'released' reimplements",
    texts={
        "system": PromptText(
            "37249a683d675568939125a7058c18ebcad1b817ce2827b621d75bec184f5aba",
            _LOOP,
            "the system message that the model receives: get_required_messages and prompt_maker with the two tools",
        )
    },
    published=(
        Published("V*", 84.3, None, _PAPER),
        Published("V*", 86.3, 32, _RERUN, is_rerun=True),
        Published("HR-Bench 4K", 74.0, 32, _RERUN, is_rerun=True),
        Published("HR-Bench 8K", 66.9, 32, _RERUN, is_rerun=True),
        Published("MME-RealWorld", 64.4, 32, _RERUN, is_rerun=True),
        Published("VisualProbe hard", 28.8, 32, _RERUN, is_rerun=True),
        Published("VisualProbe medium", 29.6, 32, _RERUN, is_rerun=True),
        Published("VisualProbe easy", 58.4, 32, _RERUN, is_rerun=True),
        Published("TallyQA-Complex", 73.8, None, _PAPER),
        Published("InfographicsVQA", 84.0, None, _PAPER),
        Published("MVBench", 67.8, None, _PAPER),
    ),
    deviations=("the numbers of a box are read as the dialect says (`pixel-env dialect show released`)",),
    repository="TIGER-AI-Lab/Pixel-Reasoner",
    commit="a3a6c3a557a87d89ffaec825bd8c8d09b719fb97",
    sources={
        "dialect": _LOOP,
        "limits": f"{_LOOP}:2246 (a call ends the episode when more than three were made)",
        "max_turn_tokens": f"{_LOOP}:2058, curiosity_driven_rl/scripts/eval_vlm_new.sh:48",
        "temperature": f"{_LOOP}:2068",
        "samples": f"{_LOOP}:2068",
        "budgets": f"{_LOOP}:1960, :1961, :2306",
        "judge": f"{_LOOP}:818",
    },
)
