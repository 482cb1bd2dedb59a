"""The environment ids. Importing `pixel_env` runs `register_with_gymnasium`.

Gymnasium would take most of the time of `import pixel_env`, and `pixel-env --help` needs neither it nor NumPy. So the
ids are registered when Gymnasium is imported, before or after us. Depends on Gymnasium; independent of the environment,
which is imported by `gym.make`: entry points are strings, so that a spec can be written as JSON.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ENTRY_POINT = "pixel_env.env:PixelEnv"

ENVIRONMENTS: dict[str, str] = {
    "PixelReasoning-VStar-v0": "sample:vstar",
    "PixelReasoning-TallyQA-v0": "sample:tallyqa",
    "PixelReasoning-InfographicsVQA-v0": "sample:infographics",
    "PixelReasoning-MVBench-v0": "sample:mvbench",
}
"""Each id with an embedded sample set in its style, which it plays if `tasks` is not given."""

BENCHMARKS: dict[str, str] = {
    f"PixelReasoning-{id_name}-v0": f"prepared:{data_set}"
    for id_name, data_set in (
        ("HRBench4K", "hr-bench-4k"),
        ("HRBench8K", "hr-bench-8k"),
        ("VisualProbeEasy", "visual-probe-easy"),
        ("VisualProbeMedium", "visual-probe-medium"),
        ("VisualProbeHard", "visual-probe-hard"),
        ("MMERealWorldLite", "mme-realworld-lite"),
        ("TreeBench", "treebench"),
        ("ZoomBench", "zoombench"),
        ("O3Bench", "o3-bench"),
        ("CharXivReasoning", "charxiv-reasoning"),
        ("LongVideoBench", "longvideobench"),
        ("VideoMME", "video-mme"),
        ("LVBench", "lvbench"),
    )
}
"""Each id of a set that papers report, and the data set that it plays once it is prepared; it has no sample set."""


_REGISTRY = "gymnasium.envs.registration"


def register_with_gymnasium() -> None:
    """Registers the ids now if Gymnasium is imported, else as soon as it is. Calling it again changes nothing."""
    if _REGISTRY in sys.modules:
        register_all()
    elif not any(isinstance(finder, _RegistersWhenImported) for finder in sys.meta_path):
        sys.meta_path.insert(0, _RegistersWhenImported())


def register_all() -> None:
    """Registers every id once; calling it again changes nothing."""
    from gymnasium.envs.registration import register, registry

    for name, tasks in {**ENVIRONMENTS, **BENCHMARKS}.items():
        if name not in registry:
            register(name, entry_point=ENTRY_POINT, kwargs={"tasks": tasks})


class _RegistersWhenImported:
    """A finder that finds Gymnasium's registry as Python does, once, and registers the ids when it has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the registry, whose loader registers the ids at the end; None for every other module."""
        if fullname != _REGISTRY:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            run(module)
            sys.meta_path.remove(self)
            register_all()

        spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec
