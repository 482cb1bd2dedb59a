"""Makes the three embedded checkpoints from nothing: `python examples/make_tiny.py` (2 cores, under 75 minutes).

Stage by stage, each kept in the run folder, so that a killed run goes on from the last finished stage:

1. tokenizer   a byte-level BPE on the texts of conversations
2. vision      the tower alone, dense labels (`tiny_vision.py`)
3. language    the whole model, conversations (`tiny_language.py`)
4. base        `tiny-base`, bfloat16; its held-out accuracies are those of the saved file
5. acting      `tiny-warm` and `tiny-zoom` from it, by `pixel-env sft` and `pixel-env grpo` (`tiny_acting.py`)

Training photographs and training digits only. The log is kept in the run folder.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tiny_acting import teach_acting
from tiny_language import KINDS, held_out, teach_language
from tiny_vision import Heads, teach_vision
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from agents.chat.chat import Chat
from agents.checkpoints.tiny import load, make_model, make_processor, save_checkpoint, train_tokenizer
from pixel_env.dialects.table import dialect_named


def main(arguments: list[str]) -> int:
    """Run the stages that are not done yet."""
    options = _parser().parse_args(arguments)
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    log = Log(options.run / "log.txt")
    processor = make_processor(_tokenizer(options.run / "tokenizer"))
    chat = Chat(processor, dialect_named("tiny"))
    torch.manual_seed(options.seed)
    model = make_model(processor.tokenizer)
    heads = Heads(model.config.vision_config.out_hidden_size)
    if not (options.run / "vision.pt").exists():
        scores = teach_vision(
            model.model.visual,
            heads,
            processor,
            steps=options.vision_steps,
            seed=options.seed,
            learning_rate=2e-3,
            log=log,
        )
        log(f"vision held out, per cell with a card: {scores}")
        torch.save({"tower": model.model.visual.state_dict(), "heads": heads.state_dict()}, options.run / "vision.pt")
    if not (options.run / "language.pt").exists():
        kept = torch.load(options.run / "vision.pt")
        model.model.visual.load_state_dict(kept["tower"])
        heads.load_state_dict(kept["heads"])
        teach_language(
            model,
            heads,
            chat,
            steps=options.language_steps,
            seed=options.seed,
            learning_rate=2e-3,
            log=log,
            save=lambda step: torch.save(model.state_dict(), options.run / "language.partial.pt"),
        )
        torch.save(model.state_dict(), options.run / "language.pt")
    base = options.out / "tiny-base"
    if not (base / "facts.json").exists():
        model.load_state_dict(torch.load(options.run / "language.pt"))
        _save(model, chat, base, options, log)
    teach_acting(options.run, base, options.out, questions=options.questions, log=log)
    return 0


def _save(
    model: Qwen3VLForConditionalGeneration, chat: Chat, folder: Path, options: argparse.Namespace, log: "Log"
) -> None:
    facts: dict[str, object] = {
        "made_by": "python examples/make_tiny.py",
        "seed": options.seed,
        "vision_steps": options.vision_steps,
        "language_steps": options.language_steps,
    }
    partial = folder.with_name(folder.name + ".partial")
    save_checkpoint(model, chat.processor, partial, facts)
    reloaded, _ = load(partial)
    facts["held_out"] = held_out(reloaded, chat, options.held_out)
    facts["held_out_conversations_per_kind"] = options.held_out
    (partial / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    partial.rename(folder)
    log(f"saved {folder}, held out in bfloat16, {options.held_out} conversations a kind: {facts['held_out']}")


class Log:
    """Lines for the screen (beside the progress bar) and for the run's log file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, line: str) -> None:
        tqdm.write(line)
        with self.path.open("a") as file:
            file.write(f"{time.strftime('%H:%M:%S')}  {line}\n")


def _tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer kept in `folder`, or a new one learned from the questions and answers of the lessons."""
    if folder.exists():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    rng = np.random.default_rng(0)
    # A first tokenizer that only knows bytes is enough to write the conversations down.
    draft = Chat(make_processor(train_tokenizer([])), dialect_named("tiny"))
    texts = [draft.decode(make(rng, "train", draft).ids) for _, make in KINDS.values() for _ in range(200)]
    numbers = [f" {cell}" for cell in range(17)] * 50
    tokenizer = train_tokenizer([*(text.replace("<|image_pad|>", "") for text in texts), *numbers])
    tokenizer.save_pretrained(folder)
    return tokenizer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/tiny"), help="folder of the stages")
    parser.add_argument("--out", type=Path, default=Path("runs/tiny/checkpoints"), help="folder of the checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--vision-steps", type=int, default=1500)
    parser.add_argument("--language-steps", type=int, default=2400)
    parser.add_argument("--held-out", type=int, default=2000, help="conversations a kind for the final accuracies")
    parser.add_argument("--questions", type=int, default=800, help="held-out questions for the acting checkpoints")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
