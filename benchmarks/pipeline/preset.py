"""Presets: the recipes and sizes of one chain of the demo and the trap study.

Learning rates, batches and steps are those of the shipped recipes (`agents/recipes/`). Independent of jobs and files;
`chain.py` makes jobs of a preset.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from agents.config.arguments import read_yaml
from pixel_env.command_line.values import AtLeastOne


@dataclass(frozen=True)
class Preset:
    """Recipes of the training jobs (shipped names, or paths) and sizes of evaluations; half of the questions are hard.

    A field that is None leaves the value of the recipe.
    """

    clumsy_warm_start: str = field(default="tiny_warm_clumsy", metadata={"help": "recipe of the clumsy warm start"})
    competent_warm_start: str = field(
        default="tiny_warm_competent", metadata={"help": "recipe of the competent warm start"}
    )
    with_curiosity: str = field(default="tiny_grpo_paper", metadata={"help": "recipe of the arm with the bonus"})
    without_curiosity: str = field(
        default="tiny_grpo_correctness", metadata={"help": "recipe of the arm on correctness alone"}
    )
    warm_start_steps: AtLeastOne | None = field(default=None, metadata={"help": "optimizer steps of a warm start"})
    warm_start_batch: AtLeastOne | None = field(default=None, metadata={"help": "traces of a step, lessons included"})
    rl_steps: AtLeastOne | None = field(default=None, metadata={"help": "optimizer steps of an arm"})
    rl_queries: AtLeastOne | None = field(default=None, metadata={"help": "questions of a step"})
    train_questions: AtLeastOne | None = field(default=None, metadata={"help": "questions that an arm draws from"})
    look_questions: AtLeastOne = field(default=1024, metadata={"help": "training questions of the probe before RL"})
    look_samples: AtLeastOne = field(default=4, metadata={"help": "sampled rollouts of each of them"})
    test_questions: AtLeastOne = field(default=800, metadata={"help": "held-out questions of an evaluation"})
    gallery_questions: AtLeastOne = field(
        default=48, metadata={"help": "held-out questions that the report shows some of"}
    )


QUICK = Preset(
    warm_start_steps=6,
    warm_start_batch=14,
    rl_steps=4,
    rl_queries=4,
    train_questions=64,
    look_questions=32,
    look_samples=2,
    test_questions=24,
    gallery_questions=12,
)
"""The same stages in under three minutes. The model learns next to nothing."""


def preset(file: str | None, *, quick: bool) -> Preset:
    """The default or the quick preset, with the fields that the YAML file sets."""
    base = QUICK if quick else Preset()
    return base if file is None else dataclasses.replace(base, **read_yaml(Path(file), Preset))
