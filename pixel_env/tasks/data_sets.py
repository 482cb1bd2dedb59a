"""The data sets that `pixel-env data prepare` accepts by name.

Values only: where a set is published, in which formats, and on which terms; docs/benchmarks.md says more.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """`hub_id`: its id on the hub, "" if the user has to download it; `formats`: the formats of its files.

    `files`: the files of the repository that make the set, all if empty; `licence`: what its publisher states, "" if
    that was not seen.
    """

    about: str
    hub_id: str
    formats: tuple[str, ...]
    files: tuple[str, ...] = ()
    licence: str = ""


_NONE_STATED = "none stated"
_RESEARCH_ONLY = "for academic research only, by its authors' README"

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
    "hr-bench-4k": DataSet(
        "HR-Bench 4K: 200 questions, each in 4 orders of its options",
        "DreamMr/HR-Bench",
        ("vlmevalkit", "insight-o3"),
        ("hr_bench_4k.parquet",),
        '"other", its LICENSE file is empty',
    ),
    "hr-bench-8k": DataSet(
        "HR-Bench 8K: 200 questions, each in 4 orders of its options",
        "DreamMr/HR-Bench",
        ("vlmevalkit", "insight-o3"),
        ("hr_bench_8k.parquet",),
        '"other", its LICENSE file is empty',
    ),
    "visual-probe-easy": DataSet(
        "VisualProbe, easy: open questions",
        "Mini-o3/VisualProbe_Easy",
        ("visual-probe", "insight-o3"),
        licence=_NONE_STATED,
    ),
    "visual-probe-medium": DataSet(
        "VisualProbe, medium: open questions",
        "Mini-o3/VisualProbe_Medium",
        ("visual-probe", "insight-o3"),
        licence=_NONE_STATED,
    ),
    "visual-probe-hard": DataSet(
        "VisualProbe, hard: open questions",
        "Mini-o3/VisualProbe_Hard",
        ("visual-probe", "insight-o3"),
        licence=_NONE_STATED,
    ),
    "mme-realworld-lite": DataSet(
        "MME-RealWorld-Lite: 1,919 questions with 5 options",
        "yifanzhang114/MME-RealWorld-Base64",
        ("vlmevalkit", "insight-o3"),
        ("mme_realworld_lite.tsv",),
    ),
    "treebench": DataSet(
        "TreeBench: 405 questions with boxes of what they are about",
        "HaochenWang/TreeBench",
        ("vlmevalkit", "insight-o3"),
        ("TreeBench.tsv",),
        "Apache-2.0",
    ),
    "zoombench": DataSet(
        "ZoomBench: 845 questions about whole images, with crops",
        "inclusionAI/ZoomBench",
        ("zoombench",),
        licence="Apache-2.0",
    ),
    "o3-bench": DataSet(
        "O3-Bench: charts and maps, with boxes of what the questions are about",
        "m-Just/O3-Bench",
        ("insight-o3",),
        licence=_NONE_STATED,
    ),
    "charxiv-reasoning": DataSet(
        "CharXiv, 1,000 reasoning questions of the validation set",
        "princeton-nlp/CharXiv",
        ("charxiv-reasoning",),
        ("val.parquet",),
        "CC-BY-SA-4.0; the charts are their authors'",
    ),
    "longvideobench": DataSet(
        "LongVideoBench, validation; its download needs consent, and its parts to be joined: "
        "cat videos.tar.part.* > videos.tar",
        "",
        ("longvideobench",),
        licence="CC-BY-NC-SA-4.0",
    ),
    "video-mme": DataSet(
        "Video-MME: 2,700 questions about 900 videos", "lmms-lab/Video-MME", ("videomme",), licence=_RESEARCH_ONLY
    ),
    "lvbench": DataSet(
        "LVBench: questions about videos of up to two hours",
        "lmms-lab/LVBench",
        ("lvbench",),
        licence="CC-BY-NC-SA-4.0",
    ),
}
"""By the name that `data prepare` takes."""
