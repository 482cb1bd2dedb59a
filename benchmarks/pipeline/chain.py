"""The jobs of one chain: base checkpoint, warm start, its probe, arms of reinforcement learning, evaluations.

Training jobs are the shipped recipes, changed by the preset and the seed; evaluation jobs are defined here. Depends on
the fields of `pixel-env sft`, `grpo` and `eval`; independent of processes and results.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.config.arguments import field_kinds
from agents.config.recipes import recipe_path
from agents.config.yaml_file import read_settings
from agents.grpo.options import GRPO
from benchmarks.evaluation.policies import POLICIES
from benchmarks.pipeline.jobs import Job
from benchmarks.pipeline.preset import Preset
from pixel_env.command_line.names import field_name
from pixel_env.errors import ConfigError
from pixel_env.samples import DIGIT_ON_CARD, HALF

HARD, EASY = DIGIT_ON_CARD, HALF
"""The two kinds of question: the first needs a crop, the second can be answered from the overview."""
GALLERY_SAMPLES = 8
"""Rollouts of each question of the gallery: a group as in training, so that its reward parts are those of training."""
TEST_SEED = 0
"""Seed of random crops and samples in evaluations: equal for all checkpoints, so that comparisons are paired."""
_PATHS = ("output_dir", "model", "model_name_or_path")


@dataclass(frozen=True)
class Chain:
    """Makes the jobs of one chain; their folders are below `run`."""

    preset: Preset
    base: str
    seed: int
    run: Path

    def warm_start(self, name: str, recipe: str) -> Job:
        """Supervised training from the base."""
        settings = self._training(name, recipe, self.base, steps=self.preset.warm_start_steps)
        if self.preset.warm_start_batch is not None:
            settings["per_device_train_batch_size"] = self.preset.warm_start_batch
        return Job(_title(name), "sft", settings, self.run / name, settings["max_steps"], {"loss": "loss"})

    def learning(self, name: str, recipe: str, model: str) -> Job:
        """Reinforcement learning from the checkpoint of the job called `model`."""
        settings = self._training(name, recipe, str(self.run / model), steps=self.preset.rl_steps)
        if self.preset.rl_queries is not None:
            required(settings, ("num_generations",), recipe)
            settings["per_device_train_batch_size"] = self.preset.rl_queries * settings["num_generations"]
            settings["gradient_accumulation_steps"] = 1
        if self.preset.train_questions is not None:
            settings["task_count"] = self.preset.train_questions
        # The last step is always kept: its folder holds the logged figures of all steps.
        settings |= {"save_strategy": "steps", "save_steps": settings["max_steps"], "save_only_model": True}
        figures = {"RaPR": f"rapr/{HARD}", "accuracy": f"accuracy/{HARD}"}
        return Job(_title(name), "grpo", settings, self.run / name, settings["max_steps"], figures)

    def evaluation(self, model: str, policies: Sequence[str] = POLICIES) -> Job:
        """The policies, and one sampled rollout a question for RaPR, on held-out questions."""
        count = self.preset.test_questions
        settings = {"split": "test", "task_count": count, "policies": list(policies), "samples": 1}
        return self._evaluation(f"{model}_evaluation", model, settings, count * (len(policies) + 1))

    def probe(self, model: str) -> Job:
        """Rollouts of a warm start on training questions, sampled as reinforcement learning will sample them."""
        count, samples = self.preset.look_questions, self.preset.look_samples
        settings = {"split": "train", "task_count": count, "policies": [], "samples": samples}
        return self._evaluation(f"{model}_look", model, settings, count * samples)

    def gallery(self, model: str) -> Job:
        """Groups of rollouts on held-out questions, as in training; the report shows some of them."""
        count = self.preset.gallery_questions
        settings = {"split": "test", "task_count": count, "policies": [], "samples": GALLERY_SAMPLES}
        return self._evaluation("gallery", model, settings, count * GALLERY_SAMPLES)

    def _training(self, name: str, recipe: str, model: str, *, steps: int | None) -> dict[str, Any]:
        settings = read_recipe(recipe)
        required(settings, ("max_steps", "warmup_steps"), recipe)
        if steps is not None:
            settings["max_steps"] = steps
            settings["warmup_steps"] = min(settings["warmup_steps"], steps // 2)
        return settings | {
            "model_name_or_path": model,
            "output_dir": str(self.run / name),
            "seed": self.seed,
            "bf16": False,  # also on a GPU, so that a run means the same everywhere
            "logging_steps": 1,
            "report_to": "none",
        }

    def _evaluation(self, name: str, model: str, settings: dict[str, Any], rollouts: int) -> Job:
        recipe = self.preset.with_curiosity
        shared = required(read_recipe(recipe), ("tasks", "dialect", "max_turns", "max_turn_tokens"), recipe)
        paths = {"model": str(self.run / model), "output_dir": str(self.run / name), "seed": TEST_SEED}
        return Job(_title(name), "eval", shared | paths | settings, self.run / name, rollouts)


def read_recipe(name: str) -> dict[str, Any]:
    """The fields of a shipped recipe, or of the YAML file at that path. Raises UnknownNameError or ConfigError."""
    path = recipe_path(name)
    known = field_kinds(GRPO.classes)
    fields = {field_name(key, known, GRPO.name): setting.value for key, setting in read_settings(path).items()}
    return fields


def required(settings: Mapping[str, Any], names: Sequence[str], recipe: str) -> dict[str, Any]:
    """The settings `names` of the recipe called `recipe`. Raises ConfigError for one that it does not set."""
    missing = [name for name in names if name not in settings]
    if missing:
        raise ConfigError(f"the recipe {recipe} does not set {', '.join(missing)}, which this command needs. Add it.")
    return {name: settings[name] for name in names}


def key_of(preset: Preset, jobs: Mapping[str, Job], base_weights: str) -> str:
    """A hash of everything that the results depend on, except the seed and the paths of files."""
    recipes = {
        name: {field: value for field, value in job.recipe.items() if field not in (*_PATHS, "seed")}
        for name, job in jobs.items()
    }
    text = json.dumps([asdict(preset), recipes, base_weights], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _title(name: str) -> str:
    return name.replace("_", " ")
