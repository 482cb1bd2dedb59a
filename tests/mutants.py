"""Breaks the library on purpose, one thing at a time, and sees that a test notices: `make mutants`.

    python tests/mutants.py                    # all of them, two at a time
    python tests/mutants.py overhang sampled   # those whose name contains one of the words
    python tests/mutants.py --jobs 1 --list

Each mutant replaces one text in a temporary copy of the checkout and runs the tests that are about it; the working
tree is never touched. The tests run once unchanged first, so that a mutant is not "caught" by a test that was broken
anyway. The exit code is 1 if a mutant survives, if its text is no longer found exactly once, or if its tests do not
run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("pixel_env", "agents", "rewards", "synth", "benchmarks", "examples", "tests", "pyproject.toml", "README.md")
TIMEOUT_S = 600
TESTS_PASS, TESTS_FAIL = 0, 1
"""pytest's exit codes; any other means that no verdict was reached."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old`, which stands in `file` once, becomes `new`; at least one of `tests` (files or single tests) must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


BOXES = ("tests/pixel_env/test_boxes.py",)
OPERATIONS = ("tests/pixel_env/operations/test_operations.py",)
ENV = ("tests/pixel_env/test_env.py",)
ROLLOUT = ("tests/agents/test_rollout.py",)
REWARDS = ("tests/rewards/test_rewards.py",)
ENGINES = ("tests/agents/engines/test_engines.py",)
COLLATOR = ("tests/agents/sft/test_collator.py",)
ZERO_ADVANTAGE = (
    "tests/agents/grpo/test_trainer.py::test_leaving_out_rows_of_zero_advantage_changes_neither_loss_nor_gradients",
)
PARITY = ("tests/agents/grpo/test_trainer.py::test_sampler_and_trainer_agree_on_every_token_they_share",)
BROKEN_EPISODE = ("tests/agents/grpo/test_trainer.py::test_an_episode_that_breaks_is_left_out_of_its_group",)
RESUME = ("tests/benchmarks/evaluation/test_evaluation_resumes.py",)
VLLM_WEIGHTS = ("tests/agents/engines/test_vllm.py::test_new_weights_count_at_once_in_every_part_of_the_model",)
SPLITS = ("tests/pixel_env/samples/test_samples.py::test_no_photograph_and_no_digit_is_in_both_splits",)
VERIFY = ("tests/synth/verification/test_verify.py",)
PLANNING = ("tests/synth/plans/test_planning.py",)
SYNTH_AGAIN = ("tests/synth/generation/test_generate.py::test_the_same_command_on_a_finished_folder_changes_nothing",)

MUTANTS = (
    # ------------------------------------------------------------------------------------ boxes and operations
    Mutant(
        "a blank shows the picture",
        "pixel_env/interventions.py",
        "source=BlankSource.instead_of(view.source), ",
        "",
        ("tests/pixel_env/test_interventions.py",),
    ),
    Mutant("an edge may overhang by a fifth", "pixel_env/boxes.py", "OVERHANG = 0.02", "OVERHANG = 0.2", BOXES),
    Mutant(
        "a box is inverted only if both sides are",
        "pixel_env/boxes.py",
        "if x0 > x1 or y0 > y1:",
        "if x0 > x1 and y0 > y1:",
        BOXES,
    ),
    Mutant(
        "a crop must be larger than the minimum side",
        "pixel_env/operations.py",
        "if min(width, height) < dialect.min_crop_side:",
        "if min(width, height) <= dialect.min_crop_side:",
        OPERATIONS,
    ),
    Mutant(
        "a crop of a crop cuts the shown pixels",
        "pixel_env/operations.py",
        "via=None if dialect.crops_source else parent",
        "via=parent",
        OPERATIONS,
    ),
    Mutant(
        "a crop of a crop reads the whole picture's box",
        "pixel_env/operations.py",
        "action.box.padded(dialect.padding).within(parent.box)",
        "action.box.padded(dialect.padding)",
        OPERATIONS,
    ),
    Mutant(
        "small numbers are taken for fractions in every dialect",
        "pixel_env/actions.py",
        "    box = read_box(fractions)\n",
        "    box = read_box(list(map(float, numbers)) if max(numbers, default=0) <= 1 else fractions)\n",
        ("tests/pixel_env/test_actions.py",),
    ),
    Mutant(
        "a large picture is shown over its pixel budget",
        "pixel_env/media/images.py",
        "math.floor(width / scale / factor + _NOISE)",
        "math.ceil(width / scale / factor)",
        ("tests/pixel_env/media/test_images.py",),
    ),
    # --------------------------------------------------------------------------------------------- environment
    Mutant(
        "an answer is read from all turns",
        "pixel_env/env.py",
        "joined = begun + text",
        'joined = "".join(turn.text for turn in self.trajectory.turns) + text',
        ENV,
    ),
    Mutant(
        "the tokens of an observation are not counted before it is added",
        "pixel_env/env.py",
        "self._tokens_of(action, ()) + self._tokens_of(reply.text, reply.images)",
        "self._tokens_of(action, ())",
        ENV,
    ),
    Mutant(
        "the image budget is checked after the picture was added",
        "pixel_env/env.py",
        "stop = self._exceeded(len(reply.images))",
        "stop = self._exceeded(0)",
        ENV,
    ),
    Mutant(
        "an answer with several numbers is graded by the first",
        "pixel_env/grading/counts.py",
        "return values[0] if len(values) == 1 else None",
        "return values[0] if values else None",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    Mutant(
        "test digits are among the training digits",
        "pixel_env/samples/scenes.py",
        'if split == "train" else shuffled[TRAIN_DIGITS:]',
        'if split == "train" else shuffled[TRAIN_DIGITS - 1 :]',
        SPLITS,
    ),
    Mutant(
        "a photograph is in both splits",
        "pixel_env/samples/scenes.py",
        '"test": ("friends", "seeding"),',
        '"test": ("friends", "seeding", "wine"),',
        SPLITS,
    ),
    Mutant(
        "a cut last line is kept",
        "pixel_env/store.py",
        "            file.truncate(_end_of_lines(file))\n",
        "",
        ("tests/pixel_env/test_store.py",),
    ),
    # ------------------------------------------------------------------------------------------------- rewards
    Mutant(
        "operations are paid instead of penalised",
        "rewards/penalty.py",
        "return weight * np.minimum(",
        "return -weight * np.minimum(",
        REWARDS,
    ),
    Mutant(
        "the curiosity bonus counts refused calls",
        "rewards/shaping.py",
        "trajectory.valid_operations > 0",
        "trajectory.operations > 0",
        REWARDS,
    ),
    Mutant(
        "refused calls are free of the penalty",
        "rewards/shaping.py",
        "trajectories_G])\n    operations_G = np.array([trajectory.operations for",
        "trajectories_G])\n    operations_G = np.array([trajectory.valid_operations for",
        REWARDS,
    ),
    Mutant(
        "an option that is denied is chosen",
        "pixel_env/grading/choices.py",
        "if mention.place < len(texts) and mention.is_denied:",
        "if False:",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    Mutant(
        "of two options of which one holds the other the shorter is chosen",
        "pixel_env/grading/choices.py",
        "key=lambda t: (-len(t), t)",
        "key=lambda t: (len(t), t)",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    # ------------------------------------------------------------------------------------------------ core loop
    Mutant(
        "observations count as sampled",
        "agents/rollout.py",
        "self._glue(ids, [0.0] * len(ids), sampled=False)",
        "self._glue(ids, [0.0] * len(ids), sampled=True)",
        ROLLOUT,
    ),
    Mutant(
        "forced turns count as sampled",
        "agents/rollout.py",
        "self._step(ids, [0.0] * len(ids), text, sampled=False, ended=True)",
        "self._step(ids, [0.0] * len(ids), text, sampled=True, ended=True)",
        ROLLOUT,
    ),
    Mutant(
        "all rollouts of a question share a seed",
        "agents/rollout.py",
        'f"{seed}/{task.task_id}/{occurrence}"',
        'f"{seed}/{task.task_id}"',
        ROLLOUT,
    ),
    Mutant(
        "vision placeholders may be sampled",
        "agents/rollout.py",
        "banned_ids=self.chat.banned_ids | self.sampling.banned_ids",
        "banned_ids=self.sampling.banned_ids",
        ROLLOUT,
    ),
    Mutant(
        "the engine ignores the seeds of its requests",
        "agents/engines/transformers.py",
        "np.random.default_rng(request.seed)",
        "np.random.default_rng(0)",
        ENGINES,
    ),
    Mutant(
        "the engine samples what is banned",
        "agents/engines/transformers.py",
        "banned[row, list(ids)] = True",
        "banned[row, list(ids)] = False",
        ENGINES,
    ),
    # -------------------------------------------------------------------------------------------------- training
    Mutant(
        "deliberate mistakes are trained",
        "agents/sft/collator.py",
        "trained = said and next(turns).train",
        "trained = said and bool(next(turns))",
        COLLATOR,
    ),
    Mutant(
        "observations are trained",
        "agents/sft/collator.py",
        "trained = said and next(turns).train",
        "trained = not said or next(turns).train",
        COLLATOR,
    ),
    Mutant(
        "the trainer gives banned tokens a probability",
        "agents/grpo/trainer.py",
        "with banned(self.accelerator.unwrap_model(model), self.chat.banned_ids),",
        "with banned(self.accelerator.unwrap_model(model), frozenset()),",
        PARITY,
    ),
    Mutant(
        "rows of zero advantage are left out of the normaliser too",
        "agents/grpo/filter.py",
        'return len(kept["advantages"]) / len(whole["advantages"])',
        "return 1.0",
        ZERO_ADVANTAGE,
    ),
    Mutant(
        "an episode that broke counts as a wrong answer",
        "agents/grpo/trainer.py",
        "trajectories])] = torch.nan",
        "trajectories])] = 0.0",
        BROKEN_EPISODE,
    ),
    # ------------------------------------------------------------------------------- engines and their weights
    Mutant(
        "pictures that were embedded with old weights are used on",
        "agents/engines/vllm.py",
        "self._llm.llm_engine.reset_encoder_cache()",
        "pass",
        VLLM_WEIGHTS,
    ),
    Mutant(
        "prompts that were read with old weights are used on",
        "agents/engines/vllm.py",
        "self._llm.reset_prefix_cache()",
        "pass",
        VLLM_WEIGHTS,
    ),
    Mutant(
        "vLLM is given expanded placeholders",
        "agents/engines/wire.py",
        "if not id == previous == image_id]",
        "]",
        ("tests/agents/engines/test_vllm.py::test_greedy_turns_are_those_of_transformers",),
    ),
    Mutant(
        "an engine is given the weights without the adapters",
        "agents/grpo/policy_weights.py",
        "weight = weight + _full(layer.get_delta_weight(adapter)).detach().to(weight)",
        "weight = weight + 0",
        ("tests/agents/grpo/test_policy_weights.py",),
    ),
    Mutant(
        "the engine keeps its weights after a step",
        "agents/grpo/engine.py",
        "            self._engine.load_weights(policy_weights(policy))\n",
        "",
        (
            "tests/agents/grpo/test_vllm.py::test_what_vllm_samples_is_what_the_trainer_scores_and_weights_travel_once_a_step",
        ),
    ),
    # ---------------------------------------------------------------------------------------------------- replay
    Mutant(
        "a large advantage is replayed no more often than a small one",
        "agents/grpo/replay_buffer.py",
        "for kept in earlier]) ** self.alpha",
        "for kept in earlier]) ** 0",
        ("tests/agents/grpo/test_replay_buffer.py",),
    ),
    Mutant(
        "what was kept at a step is replayed in it",
        "agents/grpo/replay_buffer.py",
        "if kept.step < step and id(kept) not in drawn]",
        "if kept.step <= step and id(kept) not in drawn]",
        ("tests/agents/grpo/test_replay_buffer.py",),
    ),
    Mutant(
        "a replayed row counts as sampled by the present policy",
        "agents/grpo/replay_batches.py",
        '        filled.setdefault("old_per_token_logps", batch["sampling_per_token_logps"])\n',
        "",
        ("tests/agents/grpo/test_replay_batches.py",),
    ),
    Mutant(
        "a resumed run starts with an empty buffer",
        "agents/grpo/trainer.py",
        "            self._replay.load(self._replay_file(checkpoint))",
        "            pass",
        ("tests/agents/grpo/test_replay_batches.py",),
    ),
    # ------------------------------------------------------------------------------------------------- synthesis
    Mutant(
        "a synthetic look needs to show no evidence",
        "synth/verification/verify.py",
        "and _covered(evidence.box, view.box) >= ENOUGH",
        "and _covered(evidence.box, view.box) >= 0.0",
        VERIFY,
    ),
    Mutant(
        "an over-large region of a synthetic trace may be of any size",
        "synth/verification/verify.py",
        "if not low - _ROUNDING <= area <= high + _ROUNDING:",
        "if area < 0.0:",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace is played once",
        "synth/verification/verify.py",
        "if fault is None and play(trace, settings) != played:",
        "if fault is None and played != played:",
        VERIFY,
    ),
    Mutant(
        "the turn of the first synthetic look may say the detail",
        "synth/verification/verify.py",
        "enumerate(trace.turns[: right[-1] + 1])",
        "enumerate(trace.turns[: right[-1]])",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace may be of another kind than its looks",
        "synth/verification/verify.py",
        "        or _fault_of_kind(trace, trajectory)\n",
        "",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace may end in another answer than it announces",
        "synth/verification/verify.py",
        "        or _contradiction(trace, dialect)\n",
        "",
        VERIFY,
    ),
    Mutant(
        "an unrelated region of a synthetic trace may touch the evidence",
        "synth/plans/mistakes.py",
        "return all(region.padded(CLEARANCE).iou(box) == 0.0 for box in evidence)",
        "return True",
        PLANNING,
    ),
    Mutant(
        "wrong frames of a synthetic trace may hold the evidence",
        "synth/plans/mistakes.py",
        "range(max(evidence) + 1, frame_count)",
        "range(max(evidence), frame_count)",
        PLANNING,
    ),
    Mutant(
        "what is left after rounding a synthetic mix is not dealt out",
        "synth/plans/mix.py",
        "by_remainder[: count - sum(counts.values())]",
        "by_remainder[:0]",
        ("tests/synth/plans/test_mix.py",),
    ),
    Mutant(
        "a synthetic mistake is trained",
        "synth/plans/plan.py",
        "trains_mistakes or look.mistake is None, look.mistake",
        "True, look.mistake",
        ("tests/synth/plans/test_plan.py",),
    ),
    Mutant(
        "nearly the same synthetic words are no repetition",
        "synth/verification/repeats.py",
        "_shared(said, other) >= NEARLY",
        "_shared(said, other) > 1.0",
        ("tests/synth/verification/test_repeats.py",),
    ),
    Mutant(
        "a look that the next one corrects is found only where a synthetic remark complains",
        "synth/conversion/found_mistakes.py",
        "return None if tone is Tone.IS_CONTENT else Mistake.UNRELATED_REGION",
        "return Mistake.UNRELATED_REGION if tone is Tone.COMPLAINS else None",
        ("tests/synth/conversion/test_found_mistakes.py",),
    ),
    Mutant(
        "the journal of a synthetic data set is kept in memory alone",
        "synth/generation/outcomes.py",
        "            self._store.append(_row(outcome))",
        "            pass",
        SYNTH_AGAIN,
    ),
    Mutant(
        "a failure of the endpoint drops a synthetic trace for good",
        "synth/generation/outcomes.py",
        "        if outcome.is_final:",
        "        if outcome.index >= 0:",
        ("tests/synth/generation/test_generate.py::test_what_a_failure_dropped_is_tried_again_by_the_next_command",),
    ),
    Mutant(
        "what the student of a synthesis said without looking is forgotten",
        "synth/seed_data/overview.py",
        '"mark": mark, "is_answered": is_answered}',
        '"mark": "", "is_answered": is_answered}',
        ("tests/synth/seed_data/test_filters.py::test_what_was_answered_is_asked_for_once_even_by_another_process",),
    ),
    Mutant(
        "the student of a synthesis may look while it is asked without looking",
        "synth/seed_data/overview.py",
        "banned_ids=sampling.banned_ids | chat.call_opening_ids()",
        "banned_ids=sampling.banned_ids",
        (
            "tests/synth/seed_data/test_filters.py::test_what_a_model_answers_without_looking_is_dropped_and_it_may_not_call",
        ),
    ),
    Mutant(
        "a wrong sample becomes a synthetic trace",
        "synth/generation/rejection_sampling.py",
        "Rejected.WRONG: trajectory.reward < 1.0,",
        "Rejected.WRONG: trajectory.reward < 0.0,",
        ("tests/synth/generation/test_rejection_sampling.py",),
    ),
    # ------------------------------------------------------------------------------------------------ evaluation
    Mutant(
        "rows that fill a batch up are counted again",
        "agents/grpo/held_out.py",
        "if len(known) < self._samples:",
        "if True:",
        ("tests/agents/grpo/test_held_out.py",),
    ),
    Mutant(
        "an evaluation that goes on writes rows again",
        "benchmarks/evaluation/evaluate.py",
        "if record.key not in done:",
        "if record.key:",
        RESUME,
    ),
    Mutant(
        "an evaluation that goes on skips questions that were begun",
        "benchmarks/evaluation/evaluate.py",
        "if any((policy, task.task_id, other) not in done for other in numbers)",
        "if all((policy, task.task_id, other) not in done for other in numbers)",
        RESUME,
    ),
    Mutant(
        "an episode of a shard that broke counts as played",
        "benchmarks/evaluation/records.py",
        'if row["stop"] != Stop.FAILED and key not in done:',
        "if key not in done:",
        ("tests/benchmarks/evaluation/test_shards.py",),
    ),
    Mutant(
        "the seconds of shards are left out",
        "benchmarks/evaluation/records.py",
        '(folder / SECONDS, *sorted(folder.glob(f"shard-*/{SECONDS}")))',
        "(folder / SECONDS,)",
        ("tests/benchmarks/evaluation/test_timings.py",),
    ),
    Mutant(
        "a fall that may be chance tells that looking helps",
        "benchmarks/evaluation/operation_ablation.py",
        "for name, one in differences.items() if one.high < 0]",
        "for name, one in differences.items() if one.value < 0]",
        (
            "tests/benchmarks/evaluation/test_operation_ablation.py::test_a_fall_that_may_be_chance_is_not_said_to_show_anything",
        ),
    ),
    Mutant(
        "runs with other pixel budgets share the pictures of a page",
        "benchmarks/view/images.py",
        "view.box.corners, budgets.of(view.kind), via)",
        "view.box.corners, via)",
        ("tests/benchmarks/view/test_images.py",),
    ),
    Mutant(
        "the index of a data folder counts whatever its files are by now",
        "pixel_env/tasks/preparation/index.py",
        "return index if all(index.files.get(name) == stamp for name, stamp in present.items()) else None",
        "return index if present else None",
        ("tests/pixel_env/tasks/preparation/test_index.py",),
    ),
)


# ---------------------------------------------------------------------------------------------------------- running


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant; `is_caught` is what is wanted, `detail` names the test or tells what went wrong."""

    mutant: Mutant
    is_caught: bool
    detail: str
    seconds: float


def problem_with(mutant: Mutant, root: Path = ROOT) -> str | None:
    """Why the mutant cannot be made of the checkout at `root`, or None."""
    path = root / mutant.file
    count = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
    if count == 1:
        return None
    return f"its text is found {count} times in {mutant.file}, wanted: once. Write it anew in tests/mutants.py"


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """A temporary folder with what the tests need."""
    with tempfile.TemporaryDirectory(prefix="pixel_env_mutant_") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy2(source, copy / name)
        yield copy


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """pytest's exit code in `copy`, stopping at the first failure, and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    # No byte code: a mutant of the same length, written in the same second, would be taken for the original.
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return -1, f"no end after {TIMEOUT_S} s"
    return done.returncode, done.stdout + done.stderr


def tried(mutant: Mutant) -> Verdict:
    """The mutant made, in a copy of its own, and its tests run."""
    started = time.monotonic()
    problem = problem_with(mutant)
    if problem is not None:
        return Verdict(mutant, False, problem, 0.0)
    with copy_of_checkout() as copy:
        path = copy / mutant.file
        path.write_text(path.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
        code, printed = run_tests(copy, mutant.tests)
    seconds = time.monotonic() - started
    if code == TESTS_FAIL:
        failed = [line for line in printed.splitlines() if line.startswith("FAILED")]
        return Verdict(mutant, True, failed[0].split("::")[-1].split(" ")[0] if failed else "", seconds)
    if code == TESTS_PASS:
        return Verdict(mutant, False, f"SURVIVED {' '.join(mutant.tests)}", seconds)
    return Verdict(mutant, False, f"no verdict, pytest ended with {code}: {printed.strip()[-300:]}", seconds)


def check_unchanged(mutants: Sequence[Mutant]) -> str | None:
    """Why the tests of these mutants say nothing (one of them fails without any change), or None."""
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    with copy_of_checkout() as copy:
        code, printed = run_tests(copy, tests)
    return None if code == TESTS_PASS else f"the tests fail without any change:\n{printed[-3000:]}"


def main(argv: Sequence[str] | None = None) -> int:
    """Tries the chosen mutants and prints one line for each. Returns the exit code."""
    options = _parser().parse_args(argv)
    chosen = [m for m in MUTANTS if not options.words or any(word in m.name for word in options.words)]
    if options.list or not chosen:
        print("\n".join(mutant.name for mutant in MUTANTS))
        return 0 if options.list else 1
    started = time.monotonic()
    broken = check_unchanged(chosen)
    if broken is not None:
        print(broken)
        return 1
    print(f"unchanged: the tests pass ({time.monotonic() - started:.0f} s)", flush=True)
    caught = 0
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for verdict in pool.map(tried, chosen):
            caught += verdict.is_caught
            mark = "caught  " if verdict.is_caught else "MISSED  "
            print(f"{mark}{verdict.mutant.name:<66}{verdict.seconds:5.0f} s  {verdict.detail}", flush=True)
    print(f"{caught} of {len(chosen)} caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(chosen) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="parts of the names of the mutants to try; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time (%(default)s)")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    return parser


if __name__ == "__main__":
    sys.exit(main())
