"""Stage 3 of the tiny model: a competent warm start and reinforcement learning, by the commands that anybody uses."""

from collections.abc import Callable
from pathlib import Path

from agents.checkpoints.tiny import load, save_checkpoint
from agents.metrics.trajectories import accuracy
from benchmarks.evaluation import evaluate
from benchmarks.evaluation.records import read_evaluation
from pixel_env.cli import main as pixel_env


def teach_acting(run: Path, base: Path, out: Path, *, questions: int, log: Callable[[str], None]) -> None:
    """Makes `tiny-warm` from the checkpoint `base` and `tiny-zoom` from that, in `out`; stages are kept in `run`."""
    commands = {
        "tiny-warm": ["sft", "--config", "tiny_warm_competent", "--model_name_or_path", str(base)],
        "tiny-zoom": [
            *("grpo", "--config", "tiny_grpo_paper", "--max_steps", "100"),
            *("--learning_rate", "1.5e-4", "--lr_scheduler_type", "linear", "--warmup_steps", "15"),
            *("--adam_beta2", "0.98"),
            *("--model_name_or_path", str(out / "tiny-warm")),
        ],
    }
    _, processor = load(base)  # one tokenizer and processor for all
    for name, command in commands.items():
        trained = run / f"{name}-training"
        if not (trained / "model.safetensors").exists():
            log(f"pixel-env {' '.join(command)} --output_dir {trained}")
            if pixel_env([*command, "--output_dir", str(trained)]) != 0:
                raise SystemExit(f"the command for {name} failed")
        model, _ = load(trained)
        facts: dict[str, object] = {"made_by": f"pixel-env {' '.join(command[:-2])}", "from": Path(command[-1]).name}
        save_checkpoint(model, processor, out / name, facts)
        facts |= {"held_out": held_out(run / f"{name}-evaluation", out / name, questions), "questions": questions}
        save_checkpoint(model, processor, out / name, facts)
        log(f"saved {out / name}, held out in bfloat16, {questions} questions: {facts['held_out']}")


def held_out(folder: Path, checkpoint: Path, questions: int) -> dict[str, float]:
    """Accuracy of the saved file under each zoom policy, for each category of question."""
    sizes = ["--task_count", str(questions), "--max_turns", "2", "--max_turn_tokens", "8"]
    evaluate.main(["--model", str(checkpoint), "--output_dir", str(folder), *sizes])
    evaluation = read_evaluation(folder)
    return {
        f"{category}/{policy}": round(accuracy(evaluation.of(policy, category=category)).value, 3)
        for policy in evaluation.policies
        for category in evaluation.categories
    }
