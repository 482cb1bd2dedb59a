"""What RUN is: a run folder of ours, a folder or file of lmms-eval samples, or a file of message lists.

Depends on the readers of each; independent of what is measured.
"""

from pathlib import Path

from benchmarks.audit import messages, samples
from benchmarks.audit.episodes import Episodes
from benchmarks.audit.imported import read_files
from benchmarks.audit.run_folders import read_run_folder
from benchmarks.evaluation.recorded import NOTHING_OUTSIDE, Outside
from benchmarks.evaluation.records import ROWS
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks
from pixel_env.tasks.files.rows import columns_of

_KINDS = (
    f"a folder of pixel-env eval (with {ROWS}), a file or folder of lmms-eval samples (*samples_*.jsonl), or a file of "
    "message lists (.json, .jsonl or .parquet)"
)


def read_run(run: Path, *, dialect: str, tasks: str, outside: Outside = NOTHING_OUTSIDE) -> Episodes:
    """The episodes of `run`. `dialect` and `tasks`: names, "" where the run itself says so.

    `outside`: where pictures of a run folder may lie besides the folder of its task set.

    Raises ConfigError for a path that is none of these or that needs a dialect, PixelEnvError as its reader does.
    """
    if run.is_file() and run.name == ROWS:
        run = run.parent
    if (run / ROWS).exists():
        if tasks:
            raise ConfigError(f"{run} records its task set, so --tasks is not used; leave it out")
        return read_run_folder(run, dialect, outside)
    files = _files_of(run)
    if not dialect:
        raise ConfigError(f"{run} does not say in which dialect its calls are; give --dialect ({', '.join(DIALECTS)})")
    return read_files(str(run), files, dialect_named(dialect), load_tasks(tasks) if tasks else None)


def _files_of(run: Path) -> list[Path]:
    """The files of samples or message lists. Raises ConfigError."""
    if run.is_dir():
        files = sorted({*run.glob("*samples_*.jsonl"), *run.glob("*/*samples_*.jsonl")})
        if not files:
            below = sorted(str(rows.parent) for rows in run.glob(f"*/{ROWS}"))
            hint = f"Evaluations below it: {', '.join(below)}." if below else f"Wanted: {_KINDS}."
            raise ConfigError(f"{run} holds nothing to audit (no {ROWS}). {hint}")
        return files
    if not run.is_file():
        raise ConfigError(f"there is no file or folder {run}. Wanted: {_KINDS}.")
    columns = columns_of(run)
    if not columns & {*samples.COLUMNS, *messages.COLUMNS}:
        got = f"the columns {', '.join(sorted(columns))}" if columns else "no row that can be read"
        raise ConfigError(f"{run} has {got}. Wanted: {_KINDS}.")
    return [run]
