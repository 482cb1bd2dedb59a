"""Mini-o3 (arXiv 2509.07969), as its README evaluates: 32 samples at temperature 1.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import PromptText, Protocol, Published
from pixel_env.episode import Limits

_README = "Mini-o3/Mini-o3@8654dbf README.md:212"

MINI_O3 = Protocol(
    name="mini-o3",
    about="Mini-o3-7B: fractions of named images, mean of 32 samples",
    dialect="mini-o3",
    limits=Limits(12, 12, 32_768),
    max_turn_tokens=8192,
    temperature=1.0,
    samples=32,
    judge="rules for choices, a GPT judge for open questions",
    texts={
        "system": PromptText(
            "1f02ab1e7ee85e5526049e4185ed54be590a89fd0633c66cf7d2f9b053169350",
            "verl/trainer/constants.py",
            "value of TOOL_CROP_SYSTEM_PROMPT",
        ),
        "observation": PromptText(
            "458eedb7fa145920ea2e32034124dd2cadd073c26e3905ad1d99403a2a528967",
            "verl/trainer/constants.py",
            "value of TOOL_CALL_CROP_MULTI_TRUN_PROMPT",
        ),
        "failure": PromptText(
            "45cd090790afb463c38487c608fa1945ea99815480fb2bbc02c1af5cc327b290",
            "verl/trainer/constants.py",
            "value of ERROR_INFO_MULTI_TURN_PROMPT",
        ),
    },
    published=tuple(
        Published(benchmark, value, 32, _README)
        for benchmark, value in (
            ("V*", 88.2),
            ("HR-Bench 4K", 77.5),
            ("HR-Bench 8K", 73.3),
            ("MME-RealWorld", 65.5),
            ("VisualProbe hard", 48.0),
            ("VisualProbe medium", 50.4),
            ("VisualProbe easy", 67.0),
        )
    ),
    deviations=(
        "an episode stops at 32,768 tokens; theirs 2,000 tokens before",
        "the question's text is the benchmark row's own, as theirs, but its options are written as ours are",
    ),
    repository="Mini-o3/Mini-o3",
    commit="8654dbf42d2ea98b9d81b6cc7179026dd0598fdf",
    sources={
        "dialect": "verl/workers/rollout/vllm_rollout/vllm_async_engine.py",
        "limits": "README.md:155, README.md:156, verl/workers/rollout/vllm_rollout/vllm_async_engine.py:708",
        "max_turn_tokens": "verl/trainer/config/ppo_trainer.yaml:125",
        "temperature": "README.md:193, verl/trainer/config/ppo_trainer.yaml:94",
        "samples": "README.md:193",
        "budgets": "README.md:127, verl/workers/rollout/vllm_rollout/vllm_async_engine.py:189",
        "judge": "verl/workers/rollout/vllm_rollout/vllm_async_engine.py:730",
    },
)
