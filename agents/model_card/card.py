"""`README.md` of a trained model: what it was trained from, on what, with which reward, what it scores, how to use it.

The metadata are those of the Hugging Face Hub. Local paths are shortened to their last part. Depends on dialects,
rewards and `summary.json`; independent of trainers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from agents.checkpoints.names import CHECKPOINTS
from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import SUMMARY
from pixel_env.dialect_report.examples import prompt_of
from pixel_env.dialects.dialect import Dialect
from pixel_env.tasks import SAMPLE_PREFIX, load_tasks
from rewards import curiosity, penalty

CARD = "README.md"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_EXAMPLE = "sample:vstar-tiny"

REWARDS = {
    "paper": (
        "r'(x, y) = r(x, y) + alpha * max(H - RaPR(x), 0) * 1[y used an operation] + beta * min(N - n(y), 0)\n"
        f"H = {curiosity.PAPER_THRESHOLD}, alpha = {curiosity.PAPER_WEIGHT}, N = {penalty.PAPER_ALLOWED}, "
        f"beta = {penalty.PAPER_WEIGHT}"
    ),
    "released-code": (
        "r'(x, y) = r(x, y) + c * max(H - RaPR(x), 0) / (d * RaPR(x)) * 1[y tried an operation] "
        "+ beta * min(N - n(y), 0)\n"
        f"H = {curiosity.PAPER_THRESHOLD}, c = {curiosity.RELEASED_WEIGHT}, "
        f"d = {curiosity.RELEASED_IMAGE_DIVISOR} (images) or {curiosity.RELEASED_VIDEO_DIVISOR} (videos), "
        f"N = {penalty.PAPER_ALLOWED}, beta = {penalty.PAPER_WEIGHT}"
    ),
    "correctness": "r'(x, y) = r(x, y)",
}
"""The formula of each preset, with its constants."""
_SYMBOLS = (
    "r is the grade of the answer, RaPR(x) the share of the question's rollouts with an executed operation, n(y) the "
    "number of operations that the rollout spent."
)

CITATION = """\
@article{wang2025pixelreasoner,
  title   = {Pixel Reasoner: Incentivizing Pixel-Space Reasoning with Curiosity-Driven Reinforcement Learning},
  author  = {Wang, Haozhe and Su, Alex and Ren, Weiming and Lin, Fangzhen and Chen, Wenhu},
  journal = {arXiv preprint arXiv:2505.15966},
  year    = {2025}
}"""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says.

    Args:
        name: The model's name: its hub id with the owner, or the name of its folder.
        base: What it was trained from: a hub id, a folder or the name of an embedded checkpoint.
        method: How.
        is_adapter: Whether the folder holds an adapter of the base and not a whole model.
        dialect: The dialect that it was taught, with its prompt.
        data: The task set or the traces: a sample set, a hub id or a path.
        count: The number of its tasks or traces.
        steps: Optimizer steps.
        adapter: The folder of the adapter of `base` that was trained on; None: it was a new one, or none.
        reward: The name of the group reward; None: none.
        functions: The names of further reward functions.
        settings: Hyper-parameters by name.
    """

    name: str
    base: str
    method: Literal["GRPO", "SFT"]
    is_adapter: bool
    dialect: Dialect
    data: str
    count: int
    steps: int
    adapter: str | None = None
    reward: str | None = None
    functions: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def write_card(folder: Path, facts: CardFacts) -> None:
    """Writes the card into `folder`, with the figures of its `summary.json`, if that is of the same training step."""
    write_whole(folder / CARD, model_card(facts, _summary(folder, facts.steps)))


def model_card(facts: CardFacts, summary: Mapping[str, Any] | None) -> str:
    """The text of the card. `summary`: the content of `summary.json`; None: not evaluated yet."""
    front = yaml.safe_dump(_metadata(facts), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---",
        f"# {facts.name.rpartition('/')[2]}",
        _introduction(facts),
        "## Use",
        _usage(facts),
        "## Figures",
        _figures(summary),
        "## Training",
        _training(facts),
        "## Prompt",
        "An example, with an image of a sample set:",
        *(f"{role}:\n\n{_block(text)}" for role, text in prompt_of(facts.dialect, load_tasks(_EXAMPLE, count=1))),
        "## Citation",
        _block(CITATION, "bibtex"),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(facts: CardFacts) -> dict[str, Any]:
    base = _shown(facts.base)
    has_hub_base = _is_hub_id(facts.base)
    method = facts.method.lower()
    return {
        "library_name": "peft" if facts.is_adapter else "transformers",
        "pipeline_tag": "image-text-to-text",
        **({"base_model": base} if has_hub_base else {}),
        **({"base_model_relation": "adapter" if facts.is_adapter else "finetune"} if has_hub_base else {}),
        **({"datasets": [facts.data]} if _is_hub_id(facts.data) else {}),
        "tags": ["pixel-env", "pixel-reasoning", "vision-language-model", method, "trl"],
    }


def _introduction(facts: CardFacts) -> str:
    what = "LoRA adapter of a" if facts.is_adapter else "A"
    kind = "reinforcement learning (GRPO)" if facts.method == "GRPO" else "supervised training on demonstrations (SFT)"
    operations = ", ".join(f"`{facts.dialect.name_of(operation)}`" for operation in facts.dialect.offered)
    return (
        f"{what} vision-language model that reasons in pixel space: before it answers it may call {operations} and "
        f"gets the new pixels back. Trained from {_start(facts)} by {kind} with pixel-env, after "
        "[Pixel Reasoner](https://arxiv.org/abs/2505.15966)."
    )


def _usage(facts: CardFacts) -> str:
    is_on_hub = "/" in facts.name
    model = facts.name if is_on_hub else "."
    commands = (
        f'pixel-env ask photo.jpg "What is written on the sign?" --model {model}\n'
        f"pixel-env eval --model {model} --tasks my-tasks.jsonl"
    )
    where = "" if is_on_hub else "In this folder:\n\n"
    return (
        f"{where}{_block(commands, 'sh')}\n\n"
        f"The dialect (`{facts.dialect.name}`), pixel budgets, limits and prompt are recorded in `pixel_env.json`, "
        "which these commands read. Without pixel-env the model can be prompted, but nothing executes its calls."
    )


def _training(facts: CardFacts) -> str:
    noun = "tasks" if facts.method == "GRPO" else "traces"
    rows = {"data": f"{_shown(facts.data)}, {facts.count} {noun}", "optimizer steps": facts.steps, **facts.settings}
    lines = ["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows.items())]
    text = "\n".join(lines)
    if facts.method == "GRPO":
        text += f"\n\n{_reward(facts)}"
    return text


def _reward(facts: CardFacts) -> str:
    texts = []
    if facts.reward in REWARDS:
        formula = _block(REWARDS[facts.reward])
        texts.append(f"The reward of rollout y of question x (`{facts.reward}`):\n\n{formula}\n\n{_SYMBOLS}")
    elif facts.reward is not None:
        texts.append(f"The group reward is `{facts.reward}`, a function of the user's.")
    if facts.functions:
        texts.append(f"Reward functions: {', '.join(f'`{name}`' for name in facts.functions)}.")
    return "\n\n".join(texts)


# --------------------------------------------------------------------------------------------------------- figures

_LABELS = {
    "accuracy_before": "accuracy before training",
    "accuracy_after": "accuracy after training",
    "first_box_iou": "IoU of the first box",
    "recovered_looks": "correct operation after a mistake",
    "recovered_answers": "correct answers after a mistake",
}


def _figures(summary: Mapping[str, Any] | None) -> str:
    estimates = {} if summary is None else {label: summary.get(name) for name, label in _LABELS.items()}
    rows = [(label, one) for label, one in estimates.items() if isinstance(one, Mapping)]
    if summary is None or not rows:
        return "Not evaluated on held-out tasks."
    lines = ["| held-out tasks | value | 95 % interval | n |", "|---|---|---|---|"]
    for label, one in rows:
        lines.append(f"| {label} | {one['value']:.3f} | {one['low']:.3f} to {one['high']:.3f} | {one['n']:.0f} |")
    for name, label in (("rapr_before", "RaPR before training"), ("rapr_after", "RaPR after training")):
        if isinstance(summary.get(name), int | float):
            lines.append(f"| {label} | {summary[name]:.3f} | | |")
    text = "\n".join(lines)
    if also_trained := summary.get("also_trained_tasks"):
        text += f"\n\nOf the held-out tasks {also_trained} were also trained on, so these figures are no test."
    if summary.get("chosen_on_the_same_tasks"):
        text += "\n\nThe checkpoint was chosen by its accuracy on the same tasks, which biases the figure upwards."
    return text


def _summary(folder: Path, steps: int) -> Mapping[str, Any] | None:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return summary if isinstance(summary, dict) and summary.get("steps") == steps else None


# ----------------------------------------------------------------------------------------------------------- texts


def _is_hub_id(name: str) -> bool:
    return bool(_HUB_ID.fullmatch(name)) and not name.startswith(".") and not Path(name).exists()


def _shown(name: str) -> str:
    """A hub id or the name of a sample set as it is; of a path its last part."""
    if _is_hub_id(name) or name.startswith(SAMPLE_PREFIX):
        return name
    return Path(name).name


def _start(facts: CardFacts) -> str:
    base = _base(facts.base)
    return base if facts.adapter is None else f"the adapter `{_shown(facts.adapter)}` on {base}"


def _base(name: str) -> str:
    if _is_hub_id(name):
        return f"[{name}](https://huggingface.co/{name})"
    if _shown(name) in CHECKPOINTS:
        return f"`{_shown(name)}`, a small model that ships with pixel-env,"
    return f"a local checkpoint (`{_shown(name)}`)"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _block(text: str, language: str = "") -> str:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return f"{fence}{language}\n{text}\n{fence}"
