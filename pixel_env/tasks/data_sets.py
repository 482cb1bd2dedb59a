"""The data sets that `pixel-env data prepare` accepts by name.

Values only: where a set is published, and in which formats.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """`hub_id`: its id on the hub, "" if the user has to download it; `formats`: the formats of its files."""

    about: str
    hub_id: str
    formats: tuple[str, ...]


DATA_SETS: dict[str, DataSet] = {
    "vstar": DataSet(
        "V*Bench, the paper's evaluation file",
        "JasperHaozhe/VStar-EvalData-PixelReasoner",
        ("pixelreasoner", "vstar", "vlmevalkit"),
    ),
    "tallyqa": DataSet(
        "TallyQA-Complex, the paper's evaluation file",
        "JasperHaozhe/TallyQA-EvalData-PixelReasoner",
        ("pixelreasoner", "tallyqa", "vlmevalkit"),
    ),
    "infographicsvqa": DataSet(
        "InfographicsVQA, the paper's evaluation file",
        "JasperHaozhe/InfoVQA-EvalData-PixelReasoner",
        ("pixelreasoner", "infographicvqa", "vlmevalkit"),
    ),
    "mvbench": DataSet(
        "MVBench, the paper's evaluation file",
        "JasperHaozhe/MVBench-EvalData-PixelReasoner",
        ("pixelreasoner", "mvbench"),
    ),
    "rl-data": DataSet("the released training set", "TIGER-Lab/PixelReasoner-RL-Data", ("pixelreasoner",)),
    "vstar-original": DataSet("V*Bench of its authors", "craigwu/vstar_bench", ("vstar",)),
    "mvbench-original": DataSet("MVBench of its authors", "OpenGVLab/MVBench", ("mvbench",)),
    "tallyqa-original": DataSet("TallyQA of its authors; its images are those of COCO and VG", "", ("tallyqa",)),
    "infographicsvqa-original": DataSet("InfographicVQA; its download needs a registration", "", ("infographicvqa",)),
}
"""By the name that `data prepare` takes."""
