"""The environment ids. Importing `pixel_env` runs `register_all`.

Depends on Gymnasium; independent of the environment, which is imported by `gym.make`: entry points are strings, so that
a spec can be written as JSON.
"""

from gymnasium.envs.registration import register, registry

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


def register_all() -> None:
    """Registers every id once; calling it again changes nothing."""
    for name, tasks in {**ENVIRONMENTS, **BENCHMARKS}.items():
        if name not in registry:
            register(name, entry_point=ENTRY_POINT, kwargs={"tasks": tasks})
