"""DeepEyes (arXiv 2505.14362), as its V* script evaluates, and the same with the tool mended.

Depends on the parts of a protocol; independent of other protocols.
"""

from dataclasses import replace

from benchmarks.protocols.protocol import PromptText, Protocol, Published
from pixel_env.episode import Limits

_RERUN = "Mini-o3/Mini-o3@8654dbf README.md:211"

DEEPEYES = Protocol(
    name="deepeyes",
    about="DeepEyes-7B as published: boxes of the shown image are cut from the unscaled original",
    dialect="deepeyes",
    limits=Limits(11, 64),
    max_turn_tokens=10_240,
    judge="rules, then the judge Qwen2.5-72B",
    options_order="the right option of V* is always A",
    texts={
        "system": PromptText(
            "1fc5b8b5ebdc9b24d6a9281071222872c8542dd65a4a4be1e70d9760c3a7f99f",
            "eval/eval_vstar.py",
            "value of instruction_prompt_system",
        ),
        "question": PromptText(
            "5bbe1d47dd40a6eca95af476b89558dd9ceab053b83ed08cfa1760b91e205891",
            "eval/eval_vstar.py",
            "value of instruction_prompt_before, with its slots {question} and {options}",
            placed="{text}",
            slots={"{question}": "{question}", "{options}": "{options}"},
        ),
        "observation": PromptText(
            "e46e076069f511f848e9e6e213ee98b0576b268ac8eab38649e0b75608305e42",
            "eval/eval_vstar.py",
            "value of USER_PROMPT_V2; its leading line break and its blank at the end belong to it",
        ),
    },
    published=(
        Published("V*", 90.1, None, "reported by the paper, arXiv 2505.14362; written in no file of the repository"),
        Published("V*", 83.3, 32, _RERUN, is_rerun=True),
        Published("HR-Bench 4K", 73.2, 32, _RERUN, is_rerun=True),
        Published("HR-Bench 8K", 69.5, 32, _RERUN, is_rerun=True),
        Published("MME-RealWorld", 64.0, 32, _RERUN, is_rerun=True),
        Published("VisualProbe hard", 35.1, 32, _RERUN, is_rerun=True),
        Published("VisualProbe medium", 29.8, 32, _RERUN, is_rerun=True),
        Published("VisualProbe easy", 60.1, 32, _RERUN, is_rerun=True),
    ),
    deviations=("images are not limited there; the limit of 64 is not reached in 11 turns",),
    repository="Visual-Agent/DeepEyes",
    commit="6c5e79671dbff958a6f9d44848ba2ca87854f0b0",
    sources={
        "dialect": "eval/eval_vstar.py",
        "limits": "eval/eval_vstar.py:179",
        "max_turn_tokens": "eval/eval_vstar.py:186",
        "temperature": "eval/eval_vstar.py:185",
        "samples": "eval/eval_vstar.py:185",
        "budgets": "eval/eval_vstar.py:51 (crops; the first image as the server's processor)",
        "judge": "eval/EVALUATION.md",
        "options_order": "eval/eval_vstar.py:131",
    },
)

MENDED = replace(
    DEEPEYES,
    name="deepeyes-mended",
    about="DeepEyes-7B with the tool mended: boxes are of the image as the model sees it",
    dialect="deepeyes-mended",
    published=(),
    unpublished="nobody published a number with the mended tool",
    deviations=(*DEEPEYES.deviations, "the tool reads pixels of the shown image; theirs, of the unscaled original"),
)
