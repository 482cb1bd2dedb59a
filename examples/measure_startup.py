"""What starting costs: CPU seconds of a process that imports the package, shows a help, or evaluates one question.

    python examples/measure_startup.py             # the least of 5 runs each
    python examples/measure_startup.py --runs 3

Each figure is the user and system time of a process of its own, beside Python alone and the import of Gymnasium.
Modules are compiled once, into a folder of the measurement's own, as those of an installed package are.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile

PIXEL_ENV = ("-m", "pixel_env")
EVALUATION = "eval --engine scripted --model oracle --tasks sample:vstar --task_count 1 --policies learned_zoom"

STARTS = {
    "python -c pass": ("-c", "pass"),
    "python -c 'import gymnasium'": ("-c", "import gymnasium"),
    "python -c 'import pixel_env'": ("-c", "import pixel_env"),
    "python -c 'import gymnasium, pixel_env'": ("-c", "import gymnasium, pixel_env"),
    "pixel-env --help": (*PIXEL_ENV, "--help"),
    **{f"pixel-env {name} --help": (*PIXEL_ENV, name, "--help") for name in ("play", "eval", "view", "sft", "grpo")},
    "pixel-env eval, one question": (*PIXEL_ENV, *EVALUATION.split()),
}
"""What is started, by its title: the arguments of Python."""


def main(argv: list[str]) -> int:
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args(argv).runs
    with tempfile.TemporaryDirectory() as compiled:
        python_alone = least_cpu_seconds(STARTS["python -c pass"], compiled, runs)
        print(f"{'started':42}CPU s   of Python alone")
        for title, arguments in STARTS.items():
            seconds = least_cpu_seconds(arguments, compiled, runs)
            print(f"{title:42}{seconds:5.2f}{seconds / python_alone:16.1f}")
    return 0


def least_cpu_seconds(arguments: tuple[str, ...], compiled: str, runs: int) -> float:
    """The least user and system time of `runs` processes, after one that compiles the modules."""
    return min([_cpu_seconds(arguments, compiled) for _ in range(runs + 1)][1:])


def _cpu_seconds(arguments: tuple[str, ...], compiled: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:  # an evaluation writes into it
        subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
