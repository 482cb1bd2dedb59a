"""Small sets in the published columns of the boards about images, with pictures made here."""

import base64
import io

from PIL import Image

from tests.pixel_env.tasks.made import as_parquet, as_tsv, encoded, picture
from tests.written_files import as_json, as_lines

LETTERS = "ABCD"


def rotated(options, times):
    """The options, moved on by `times` places."""
    return options[-times:] + options[:-times] if times else options


# ------------------------------------------------------------------------------------------------------- HR-Bench

HR_QUESTIONS = [
    ("What is the color of the mailbox?", ["Blue", "Red", "Green", "Black"], "single"),
    ("What is the color of the mailbox?", ["Blue", "Red", "Green", "Black"], "single"),
    ("Where is the clock?", ["left of the door", "right of the door", "above it", "below it"], "cross"),
]
"""Question, options and category; the first option is right. Two questions agree in all texts: their images differ."""


def hr_bench_rows():
    rows = []
    for question, options, category in HR_QUESTIONS:
        for times in range(4):
            row = {"index": len(rows), "question": question, "answer": LETTERS[times], "category": category}
            row |= dict(zip(LETTERS, rotated(options, times), strict=True))
            rows.append(row | {"cycle_category": str(times)})
    return rows


def hr_bench(folder):
    pictures = [encoded(colour) for colour in ("white", "grey", "black")]
    rows = [row | {"image": pictures[row["index"] // 4]} for row in hr_bench_rows()]
    return as_tsv(folder / "hr_bench_4k.tsv", rows)


def hr_bench_parquet(folder):
    rows = [row | {"image": encoded(("white", "grey", "black")[row["index"] // 4])} for row in hr_bench_rows()]
    return as_parquet(folder / "hr_bench_4k.parquet", rows)


def hr_bench_annotations(folder):
    rows = []
    for row in hr_bench_rows():
        picture(folder / "images_4k" / f"{row['index']}.jpg")
        options = "\n".join(f"{letter}.{row[letter]}" for letter in LETTERS)
        told = {"question_id": row["index"], "image": f"{row['index']}.jpg", "question": row["question"]}
        rows.append(told | {"options": options, "answer": row["answer"], "category": row["category"]})
    return as_lines(folder / "hrbench_4k.jsonl", rows).parent


# ---------------------------------------------------------------------------------------------- MME-RealWorld-Lite

MME_OPTIONS = [
    *("(A) In the upper right area of the picture", "(B) In the upper left area of the picture"),
    *("(C) In the lower right area of the picture", "(D) In the lower left area of the picture"),
    "(E) This image doesn't feature the position.",
]
MME_ROW = {
    "index": 2527,
    "question": "Where is the yellow crane in the picture?",
    "multi-choice options": str(MME_OPTIONS),
    "answer": "A",
    "category": "Perception/Remote Sensing",
    "l2-category": "position",
}


def mme_realworld_lite(folder):
    one, two = encoded("white"), encoded("grey")
    rows = [
        MME_ROW | {"image": one},
        MME_ROW | {"index": 2528, "question": "Where is the pool?", "answer": "E", "image": one},
        MME_ROW | {"index": 7, "category": "Reasoning/Monitoring", "l2-category": "intention", "image": two},
    ]
    return as_tsv(folder / "mme_realworld_lite.tsv", rows)


def mme_realworld_lite_parquet(folder):
    """As it is published for lmms-eval."""
    row = MME_ROW | {"multi-choice options": MME_OPTIONS, "bytes": encoded()}
    return as_parquet(folder / "data/train-00000-of-00001.parquet", [row, row | {"index": 1, "answer": "E"}])


# ------------------------------------------------------------------------------------------------------- TreeBench

TREE_ROW = {
    "index": 0,
    "question": "In which direction is the road sign from the entrance?",
    "A": "To the left",
    "B": "To the right",
    "C": "Front right",
    "D": "Front left",
    "E": None,
    "multi-choice options": "A. To the left \nB. To the right\nC. Front right\nD. Front left",
    "answer": "C",
    "category": "Reasoning/Perspective Transform",
    "target_instances": "[[80.0, 60.0, 160.0, 120.0], [300.0, 200.0, 330.0, 260.0]]",
}


def turned(size=(240, 320)):
    """A JPEG whose pixels are `size` and that is shown as 320 by 240, by its EXIF tag, in base64."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, "JPEG", exif=exif)
    return base64.b64encode(buffer.getvalue()).decode()


def treebench(folder):
    letters = {"A": "S", "B": "D", "C": "T", "D": "C", "multi-choice options": "A. S\nB. D\nC. T\nD. C"}
    rows = [
        TREE_ROW | {"image": encoded()},
        TREE_ROW | letters | {"index": 1, "category": "Perception/OCR", "image": turned()},
        TREE_ROW | {"index": 2, "category": "Perception/Material", "target_instances": "[]", "image": encoded("grey")},
    ]
    return as_tsv(folder / "TreeBench.tsv", rows)


# ------------------------------------------------------------------------------------- VisualProbe, ZoomBench, O3-Bench


def visual_probe(folder):
    told = {"data_source": "visual_probe_hard"}
    rows = [
        {"problem": "<image>\nWhat is the color of the lampshade?", "solution": "White."},
        {"problem": "<image>\nHow many bottles are there?", "solution": " One."},
        {"problem": "<image>\nWhat is the number on the door?", "solution": "64"},
    ]
    for number, row in enumerate(rows):
        picture(folder / "data" / f"visual_probe_hard_{number}.jpg")
        row |= told | {"images": [f"VisualProbe_Hard/data/visual_probe_hard_{number}.jpg"], "doc_id": number}
    return as_json(folder / "val.json", rows).parent


ZOOM_ROWS = [
    ("What is the color of the flag?\nA. red\nB. blue\nC. green\nD. white", "B", True),
    ("How many windows are lit?", "7", True),
    ("What does the sign say?", "NO ENTRY", False),
]
"""Query, response, and whether there is a crop."""


def zoombench(folder):
    """The JSON that the authors' script makes."""
    rows = []
    for number, (query, response, has_crop) in enumerate(ZOOM_ROWS):
        picture(folder / "images" / f"image_{number}.png")
        crops = [f"../ZoomBench/images/crop_image_{number}.png"] if has_crop else []
        if has_crop:
            picture(folder / "images" / f"crop_image_{number}.png", (64, 48), "grey")
        row = {"images": [f"../ZoomBench/images/image_{number}.png"], "crop_images": crops}
        rows.append(row | {"query": query, "response": response})
    return as_json(folder / "zoombench.json", rows).parent


def image_bytes(size=(320, 240), colour="white"):
    """An image as the hub's image columns hold it."""
    return {"bytes": base64.b64decode(encoded(colour, size)), "path": None}


def zoombench_parquet(folder):
    rows = []
    for number, (query, response, has_crop) in enumerate(ZOOM_ROWS):
        row = {"id": str(number), "query": query, "response": response, "image": image_bytes()}
        row |= {
            "crop_image": image_bytes((64, 48)) if has_crop else None,
            "question_type": "mcq" if number == 0 else "oqa",
        }
        rows.append(row)
    as_parquet(folder / "data/test.parquet", rows)
    return folder


O3_ROW = {
    "file_name": "images/chart/1-3.png",
    "subset": "chart",
    "question": "What was the change in Total Assets compared to the previous year?",
    "options": "A. −$13,046\nB. −$14,895\nC. −$14,837\nD. −$15,019\nE. −$15,967\nF. No right choice",
    "answer": "D",
    "layout_infos": {"0": {"bbox": [0, 0, 160, 120]}, "1": {"bbox": [160, 120, 320, 240]}},
    "target_layouts": [1],
    "explanation": "The table at the lower right has it.",
}


def o3_bench(folder):
    picture(folder / "test/images/chart/1-3.png")
    picture(folder / "test/images/map/bus.jpg")
    second = {"file_name": "images/map/bus.jpg", "subset": "map", "answer": "F", "target_layouts": [0, 1]}
    return as_lines(folder / "test/metadata.jsonl", [O3_ROW, O3_ROW | second]).parent


# -------------------------------------------------------------------------------------------------------- CharXiv


def charxiv(folder):
    rows = [
        {"query": "Which model declines more?", "answer": "Joint-CNN", "inst_category": 1},
        {"query": "Is the trend linear or not?", "answer": "linear", "inst_category": 2},
        {"query": "What is the highest label of the axis?", "answer": "0.5", "inst_category": 3},
        {"query": "By how much does it fall?", "answer": "9.17", "inst_category": 4},
        {"query": "How many curves cross?", "answer": "3", "inst_category": 4},
    ]
    for number, row in enumerate(rows):
        picture(folder / "images" / f"{number}.jpg")
        row |= {"figure_id": number, "qa_source": 1}
    as_json(folder / "data/descriptive_val.json", {"0": {"figure_id": 0, "num_subplots": 2, "qids": [1, 2]}})
    as_json(folder / "data/reasoning_val.json", {str(row["figure_id"]): row for row in rows})
    return folder


def charxiv_parquet(folder):
    row = {"category": "cs", "year": "20", "original_figure_path": "a/b.jpg", "original_id": "2004.10956"}
    row |= {"figure_path": "images/0.jpg", "num_subplots": 2, "subplot_row": 1, "subplot_col": 1, "subplot_loc": None}
    row |= {f"descriptive_q{number}": number for number in range(1, 5)}
    row |= {f"descriptive_a{number}": "x" for number in range(1, 5)}
    row |= {"reasoning_q": "Which model declines more?", "reasoning_a": "Joint-CNN", "reasoning_q_source": 1}
    last = {"reasoning_q": "How many curves cross?", "reasoning_a": "3", "reasoning_a_type": 4}
    rows = [row | {"reasoning_a_type": 1, "image": image_bytes()}]
    rows.append(row | last | {"figure_path": "images/1.jpg", "image": image_bytes(colour="grey")})
    return as_parquet(folder / "val.parquet", rows)


BOARDS = {
    "hr-bench": hr_bench,
    "hr-bench-parquet": hr_bench_parquet,
    "mme-realworld-lite-parquet": mme_realworld_lite_parquet,
    "zoombench-parquet": zoombench_parquet,
    "charxiv-parquet": charxiv_parquet,
    "hr-bench-annotations": hr_bench_annotations,
    "mme-realworld-lite": mme_realworld_lite,
    "treebench": treebench,
    "visual-probe": visual_probe,
    "zoombench": zoombench,
    "o3-bench": o3_bench,
    "charxiv": charxiv,
}
"""Writes a set into a folder and returns the path to load."""
