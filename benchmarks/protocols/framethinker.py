"""FrameThinker (arXiv 2509.24304), as its inference script plays: the first of up to three tries that answers.

Depends on the parts of a protocol; independent of other protocols.
"""

from agents.engines.protocol import Truncation
from benchmarks.protocols.protocol import PromptText, Protocol, Retries
from pixel_env.episode import Limits

_SCRIPT = "examples/agent/infer.py"

FRAMETHINKER = Protocol(
    name="framethinker",
    about="FrameThinker: frames by number, up to three tries",
    dialect="framethinker",
    limits=Limits(5, 64),
    max_turn_tokens=2048,
    temperature=0.6,
    truncation=Truncation(top_p=0.9),
    retries=Retries(2),
    judge="the text after 'output answer:' must equal the reference",
    texts={
        "system": PromptText(
            "e65cdc0ce39b6f19ea8f4ea67f5043ca48573e4f3a451732c4e42789b26721fd",
            _SCRIPT,
            "value of the first system_prompt with num_frames_to_sample = 8",
        )
    },
    unpublished="the readme writes a mean gain of 10.4 over six benchmarks (readme.md:7), and the score of none",
    deviations=(
        "the third try is played with tools; theirs is without",
        "every answer ends the tries; theirs repeats one whose conversation repeats a range or a time, too",
        "frames are 8 a call; theirs are 12, each smaller, for videos above 300 s",
        "images are not limited there; the limit of 64 is not reached in 5 turns",
    ),
    repository="lcqysl/FrameThinker-RL",
    commit="3c917f3a7d311e91ae2ac1ebdb30723850e4508e",
    sources={
        "dialect": _SCRIPT,
        "limits": f"{_SCRIPT}:20",
        "max_turn_tokens": f"{_SCRIPT}:43",
        "temperature": f"{_SCRIPT}:43",
        "truncation": f"{_SCRIPT}:43",
        "samples": f"{_SCRIPT}:297",
        "retries": f"{_SCRIPT}:255, :297",
        "judge": f"{_SCRIPT}:300",
    },
)
