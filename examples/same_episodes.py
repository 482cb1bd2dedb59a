"""The same episodes, played and learned from by our trainer and by TRL's `GRPOTrainer(environment_factory=...)`.

The policy really generates every token of every turn, and its words are then replaced by those of a script: both sides
play, score and learn from the same ids and the same pictures. Knows how the two are set up and which phases of theirs
are timed; what is made of the times stands in `measure_update.py`.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from PIL import Image
from trl import GRPOConfig, GRPOTrainer

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import CHAT_TEMPLATE, load
from agents.engines.protocol import Request
from agents.engines.transformers import MAX_KEPT_BYTES, TransformersEngine, Turn
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.media.showing import show
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.views import View, ViewKind

TINY = dialect_named("tiny")
MODEL = "tiny-warm"
GRID = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What both sides play: `turns[question][rollout]` are the token ids of each turn of an episode."""

    tasks: TaskSet
    turns: list[list[list[list[int]]]]
    micro_batch: int
    steps: int

    @property
    def episodes(self) -> list[list[list[int]]]:
        """All of them, question by question."""
        return [episode for question in self.turns for episode in question]


def drawn(options: argparse.Namespace, chat: Chat) -> Work:
    """1 to `max_turns` turns an episode, uniform; tokens of a turn log-uniform; each turn but the last one a crop.

    In `informative` of the questions every other answer is right, by chance; in the rest none is.
    """
    rng = np.random.default_rng(options.seed)
    questions = options.episodes // options.group
    tasks = load_tasks("sample:vstar-tiny", split="train", count=questions)
    low, high = np.log(options.turn_tokens)
    (filler,) = chat.encode(".")[:-1]

    def turn(words: str) -> list[int]:
        ids = chat.encode(words)
        return [filler] * (round(np.exp(rng.uniform(low, high))) - len(ids)) + list(ids)

    def crop() -> str:
        (x0, x1), (y0, y1) = (np.sort(rng.choice(GRID + 1, size=2, replace=False)) for _ in "xy")
        return f"<crop> {x0} {y0} {x1} {y1}"

    def episode(answers: Sequence[str]) -> list[list[int]]:
        crops = [turn(crop()) for _ in range(rng.integers(0, options.max_turns))]
        return [*crops, turn(f"<answer>{rng.choice(answers)}")]

    taught = round(options.informative * questions)
    answers = [("no", task.answers[0] if place < taught else "no") for place, task in enumerate(tasks.tasks)]
    turns = [[episode(either) for _ in range(options.group)] for either in answers]
    return Work(tasks, turns, options.micro_batch, options.steps)


def _settings(work: Work, folder: str) -> dict[str, Any]:
    """TRL's fields, the same on both sides."""
    return {
        "output_dir": folder,
        "per_device_train_batch_size": work.micro_batch,
        "gradient_accumulation_steps": len(work.episodes) // work.micro_batch,
        "num_generations": len(work.turns[0]),
        "max_steps": 1 + work.steps,
        "max_completion_length": 1536,  # TRL counts observations too: more than any episode has
        "learning_rate": 1e-6,
        "loss_type": "dr_grpo",
        "scale_rewards": "none",
        "epsilon_high": 0.35,
        "bf16": False,
        "gradient_checkpointing": False,
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "no",
        "report_to": "none",
        "logging_steps": 1,
        "disable_tqdm": True,
    }


class Scripted:
    """A trainer that follows a script and times its phases.

    `seconds`: of the wall and of this process's work, one entry a generation and one a micro-batch of the update;
    `batch`: the last one that was generated.
    """

    def follow(self, work: Work) -> None:
        """Before `train()`: what is to be said."""
        self.work = work
        self.seconds: dict[str, list[np.ndarray]] = {"generation": [], "update": []}
        self.batch: dict[str, Any] = {}

    @contextmanager
    def _clock(self, phase: str) -> Iterator[None]:
        started = clocks()
        yield
        self.seconds[phase].append(clocks() - started)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self.rows = [int(row["prompt"] if isinstance(row["prompt"], str) else row["place"]) for row in inputs]
        with self._clock("generation"):
            self.batch = super()._generate_and_score_completions(inputs)
        return self.batch

    def training_step(self, *arguments: Any) -> Any:
        generations = len(self.seconds["generation"])
        with self._clock("update"):
            result = super().training_step(*arguments)
        if len(self.seconds["generation"]) > generations:
            self.seconds["update"][-1] = self.seconds["update"][-1] - self.seconds["generation"][-1]
        return result

    def log_probs(self, rows_together: int) -> torch.Tensor:
        """Those of the last batch, (B, C), so many rows a forward pass, without gradients."""
        batch = self.batch
        ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
        mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
        names = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
        pictures = {name: batch[name] for name in names if name in batch}
        with torch.no_grad():
            logps, _, _ = self._get_per_token_logps_and_entropies(
                self.model, ids, mask, batch["completion_ids"].shape[1], batch_size=rows_together, **pictures
            )
        return logps

    def script(self, row: int) -> list[list[int]]:
        """The turns of a row of the present batch."""
        question = self.rows[row]
        return self.work.turns[question][self.rows[:row].count(question)]


def clocks() -> np.ndarray:
    """Seconds of the wall and of work in this process, (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


# ------------------------------------------------------------------------------------------------------- our side


class ScriptedTurn(Turn):
    """A turn whose every token is really sampled, and then replaced by the script's."""

    def __init__(self, request: Request, chat: Chat, script: list[int]) -> None:
        super().__init__(request, chat)
        self._script = script

    def take(self, id: int, logprob: float) -> None:
        """Append the script's next token."""
        if not self.done:
            super().take(self._script[len(self.ids)], logprob)


class ScriptedWords(TransformersEngine):
    """The policy's own engine, which says the script."""

    def __init__(
        self,
        policy: torch.nn.Module,
        chat: Chat,
        max_batch: int,
        script: Callable[[int], list[int]],
        max_kept_bytes: int = MAX_KEPT_BYTES,
    ) -> None:
        super().__init__(policy, chat, max_batch=max_batch, max_kept_bytes=max_kept_bytes)
        self._chat, self._script = chat, script

    def turn(self, request: Request) -> Turn:
        """One that says its script."""
        return ScriptedTurn(request, self._chat, self._script(request.request_id))


class OurTrainer(Scripted, PixelGRPOTrainer):
    """Ours, its policy speaking the script."""

    def _engine(self, policy: torch.nn.Module) -> Any:
        def script(number: int) -> Any:
            """A request's number is its turn times the number of episodes, plus its episode's place."""
            return self.script(number % len(self.rows))[number // len(self.rows)]

        return ScriptedWords(policy, self.chat, self.args.rollout_batch_size, script)

    def log_probs(self, rows_together: int) -> torch.Tensor:
        """The update has scored a micro-batch last; now it is the whole batch."""
        self._scored = self._rollouts["train"]
        return super().log_probs(rows_together)


def our_side(work: Work, folder: str) -> OurTrainer:
    """Our trainer with its environment."""
    args = PixelGRPOConfig(
        dialect="tiny",
        group_reward="correctness",
        max_turns=max(map(len, work.episodes)),
        max_turn_tokens=max(len(turn) for episode in work.episodes for turn in episode),
        **_settings(work, folder),
    )
    trainer = OurTrainer(MODEL, work.tasks, args)
    trainer.follow(work)
    return trainer


# ----------------------------------------------------------------------------------------------------- TRL's side

# The embedded model's wording, taught TRL's roles: tools answer as a user turn, as our environment does.
AS_USER = "('user' if message.role == 'tool' else message.role) +"
CALLS = """{%- for call in message.tool_calls or [] -%}{{- '<' + call.function.name + '>' -}}
{%- for key, value in call.function.arguments.items() -%}{{- ' ' + key + ' ' + value -}}{%- endfor -%}{%- endfor -%}
"""
END = "{{- '<|im_end|>\\n' -}}"
TOOL_TEMPLATE = CHAT_TEMPLATE.replace("message.role +", AS_USER).replace(END, CALLS + END)
CROP = {"type": "function", "function": {"name": "crop", "arguments": {"corners": "{content}"}}}
TURN_END = {"close_pattern": r"<\|im_end\|>\s*", "content": "text"}
RESPONSES = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {"tool_calls": {"open": "<crop>", "repeats": True, "transform": CROP, **TURN_END}, "content": TURN_END},
}


class Photograph:
    """An environment as TRL takes them, with the pictures that ours shows."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def reset(self, place: int, **_: Any) -> list[dict[str, Any]]:
        """The overview, then the question."""
        task = self._work.tasks.tasks[place]
        self._view = task.opening_views[0]
        return [self._shown(self._view), {"type": "text", "text": task.question}]

    def crop(self, corners: str) -> list[dict[str, Any]]:
        """Look at a part of the picture.

        Args:
            corners: left, top, right and bottom on a grid of 16 lines.
        """
        box = Box(*[int(line) / GRID for line in corners.split()])
        return [self._shown(View(self._view.source, ViewKind.CROP, box))]

    def _shown(self, view: View) -> dict[str, Any]:
        return {"type": "image", "image": Image.fromarray(show(view, self._work.tasks.budgets or TINY.budgets))}


class TRLTrainer(Scripted, GRPOTrainer):
    """TRL's, its policy speaking the script."""

    def _generate(self, prompts: list[Any]) -> Any:
        self.turn = 0
        return super()._generate(prompts)

    def _generate_single_turn(self, prompt_ids: list[list[int]], *arguments: Any, **options: Any) -> Any:
        # The loop keeps the order of its rows and drops those that have ended, so the rows tell their episodes.
        scripts = [self.script(row) for row in range(len(self.rows))]
        said = [script[self.turn] for script in scripts if len(script) > self.turn]
        self.turn += 1
        longest = max(len(ids) for ids in said)
        self.generation_config.max_new_tokens = self.generation_config.min_new_tokens = longest
        super()._generate_single_turn(prompt_ids, *arguments, **options)
        assert len(said) == len(prompt_ids)
        return said, None


def trl_side(work: Work, folder: str) -> TRLTrainer:
    """TRL's trainer with its `environment_factory`."""

    def correctness(completions: list[Any], answer: list[str], **_: Any) -> list[float]:
        ends = [messages[-1]["content"] for messages in completions]
        return [float(end.endswith(f"<answer>{right}")) for end, right in zip(ends, answer, strict=True)]

    model, processor = load(model_folder(MODEL))
    processor.chat_template = TOOL_TEMPLATE
    processor.tokenizer.response_template = RESPONSES
    rows = [
        {"prompt": [{"role": "user", "content": ""}], "place": place, "answer": task.answers[0]}
        for place, task in enumerate(work.tasks.tasks)
    ]
    trainer = TRLTrainer(
        model,
        reward_funcs=correctness,
        args=GRPOConfig(**_settings(work, folder)),
        train_dataset=Dataset.from_list(rows),
        processing_class=processor,
        environment_factory=partial(Photograph, work),
    )
    trainer.follow(work)
    return trainer
