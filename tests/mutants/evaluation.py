"""Mutants of evaluation, its reports and prepared data."""

from tests.mutants.mutant import Mutant

RESUME = ("tests/benchmarks/evaluation/test_evaluation_resumes.py",)

FAILED = ("tests/benchmarks/evaluation/test_failed_episodes.py",)
UNREAD = ("tests/benchmarks/evaluation/test_unread.py",)
DIALECT = ("tests/agents/config/test_model_dialect.py",)

MUTANTS = (
    Mutant(
        "a policy whose episodes all failed has the accuracy 0",
        "tables._unless_all_failed",
        "replace(NOTHING, n=estimate.n) if all_failed(trajectories) else estimate",
        "estimate",
        FAILED,
    ),
    Mutant(
        "an evaluation with failed episodes ends as one without",
        "evaluate._run",
        "return 1 if failed(evaluation.trajectories) else 0",
        "return 0",
        FAILED,
    ),
    Mutant(
        "scripted calls count as read from the model",
        "unread._own_turns",
        "if index >= _scripted(record.policy, trajectory):",
        "if True:",
        UNREAD,
    ),
    Mutant(
        "a model behind an endpoint is played in a dialect that nobody named",
        "model_dialect.dialect_of_engine",
        "if spec.has_model:",
        "if False:",
        DIALECT,
    ),
    Mutant(
        "another dialect than the model's takes the pixel budgets that are recorded with it",
        "model_dialect._checked_against",
        "if convention.dialect == name:",
        "if True:",
        DIALECT,
    ),
    Mutant(
        "a checkpoint of a warm start does not say its dialect",
        "PixelSFTTrainer.save_model",
        "if self.args.should_save:",
        "if False:",
        ("tests/agents/config/test_dialect_travels.py",),
    ),
    Mutant(
        "rows that fill a batch up are counted again",
        "HeldOut.add",
        "if len(known) < self._samples:",
        "if True:",
        ("tests/agents/grpo/test_held_out.py",),
    ),
    Mutant(
        "a second process is let into a folder that is in use",
        "locks._try_to_lock",
        "if _flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):",
        "if True:",
        ("tests/benchmarks/evaluation/test_one_at_a_time.py",),
    ),
    Mutant(
        "the whole evaluation does not wait for a shard that is being played",
        "RunFolder.shards",
        "refuse_claimed(shard, _WAIT_FOR_SHARD)",
        "pass",
        ("tests/agents/run_folder/test_shards.py",),
    ),
    Mutant(
        "a row is appended without waiting for the one that another process writes",
        "TrajectoryStore.append",
        'self.path.open("a+b") as file, locked(file):',
        'self.path.open("a+b") as file:',
        ("tests/pixel_env/test_store.py",),
    ),
    Mutant(
        "the prompt file is read again after the model has loaded",
        "evaluate.measured",
        "return evaluate(plan, engine, chat, shards)",
        "return evaluate(planned(plan.recorded[0]), engine, chat, shards)",
        ("tests/benchmarks/evaluation/test_plan.py",),
    ),
    Mutant(
        "an evaluation that resumes writes rows again",
        "_keeper",
        "if record.key not in done:",
        "if record.key:",
        RESUME,
    ),
    Mutant(
        "an evaluation that resumes skips questions that were begun",
        "missing_rollouts",
        "if any((policy, task.task_id, other) not in done for other in numbers)",
        "if all((policy, task.task_id, other) not in done for other in numbers)",
        RESUME,
    ),
    Mutant(
        "an episode of a shard that broke counts as played",
        "records.take_over",
        'if row["stop"] != Stop.FAILED and key not in done:',
        "if key not in done:",
        ("tests/benchmarks/evaluation/test_shards.py",),
    ),
    Mutant(
        "the seconds of shards are left out",
        "seconds_per_answer",
        '(folder / SECONDS, *sorted(folder.glob(f"shard-*/{SECONDS}")))',
        "(folder / SECONDS,)",
        ("tests/benchmarks/evaluation/test_timings.py",),
    ),
    Mutant(
        "a loss that may be chance shows that cropping helps",
        "operation_ablation._sentence",
        "for name, one in differences.items() if one.high < 0]",
        "for name, one in differences.items() if one.value < 0]",
        (
            "tests/benchmarks/evaluation/test_operation_ablation.py::test_a_fall_that_may_be_chance_is_not_said_to_show_anything",
        ),
    ),
    Mutant(
        "runs with other pixel budgets share the images of a page",
        "ImageList.of_view",
        "view.key, _budgets_of(view, budgets), VIEW_SIDE",
        "view.key, VIEW_SIDE",
        ("tests/benchmarks/view/test_images.py",),
    ),
    Mutant(
        "the index of a data folder counts whatever its files are by now",
        "read_index",
        "return index if all(index.files.get(name) == stamp for name, stamp in present.items()) else None",
        "return index if present else None",
        ("tests/pixel_env/tasks/preparation/test_index.py",),
    ),
)
