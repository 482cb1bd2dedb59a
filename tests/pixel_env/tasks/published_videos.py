"""Small sets in the published columns of the boards about videos, with films made here."""

from tests.pixel_env.tasks.made import as_parquet, film
from tests.written_files import as_json, as_lines

LONG_ROW = {
    "id": "86CxyhFV9MI_0",
    "video_id": "86CxyhFV9MI",
    "video_path": "86CxyhFV9MI.mp4",
    "question": "In which order do the scenes appear?",
    "candidates": ["beach, street", "street, beach", "beach alone"],
    "correct_choice": 1,
    "topic_category": "NP-News-Programs",
    "question_category": "SSS",
    "duration_group": 600,
    "duration": 190.16,
    "subtitle_path": "86CxyhFV9MI_en.json",
    "starting_timestamp_for_subtitles": 0,
}

MME_ROW = {
    "video_id": "001",
    "duration": "short",
    "domain": "Knowledge",
    "sub_category": "Humanity & History",
    "url": "somewhere",
    "videoID": "fFjv93ACGo8",
    "question_id": "001-1",
    "task_type": "Counting Problem",
    "question": "What is the color of the clothing?",
    "options": ["A. Black.", "B. Gray.", "C. Green.", "D. Brown."],
    "answer": "C",
}

LV_QUESTION = {
    "uid": "0",
    "question": "What year appears in the opening caption?\n(A) 1636\n(B) 1366\n(C) 1363\n(D) 1633",
    "answer": "D",
    "question_type": ["key information retrieval"],
    "time_reference": "00:15-00:19",
}


def longvideobench(folder):
    film(folder / "videos/86CxyhFV9MI.mp4")
    film(folder / "videos/abc.mp4", 40)
    other = {"id": "abc_0", "video_id": "abc", "video_path": "abc.mp4", "duration_group": 15, "correct_choice": 0}
    as_json(folder / "lvb_val.json", [LONG_ROW, LONG_ROW | {"id": "86CxyhFV9MI_1"}, LONG_ROW | other])
    without = {name: value for name, value in LONG_ROW.items() if name != "correct_choice"}
    as_json(folder / "lvb_test_wo_gt.json", [without])
    options = {f"option{number}": "a scene" for number in range(5)}
    for split, row in (("test", without), ("validation", LONG_ROW)):  # the same rows again
        rows = [{name: value for name, value in row.items() if name != "candidates"} | options]
        as_parquet(folder / f"{split}-00000-of-00001.parquet", rows)
    return folder


def longvideobench_parquet(folder):
    film(folder / "videos/86CxyhFV9MI.mp4")
    options = {f"option{number}": text for number, text in enumerate([*LONG_ROW["candidates"], "N/A", "N/A"])}
    row = {name: value for name, value in LONG_ROW.items() if name != "candidates"} | options
    return as_parquet(folder / "validation-00000-of-00001.parquet", [row, row | {"id": "86CxyhFV9MI_1"}])


def videomme(folder):
    film(folder / "data/fFjv93ACGo8.mp4")
    film(folder / "data/later.MP4", 40)
    later = {"video_id": "601", "videoID": "later", "question_id": "601-1", "duration": "long"}
    as_parquet(
        folder / "videomme/test-00000-of-00001.parquet",
        [MME_ROW, MME_ROW | {"question_id": "001-2", "answer": "A"}, MME_ROW | later],
    )
    return folder


def lvbench(folder):
    film(folder / "videos/Cm73ma6Ibcs.mp4")
    second = LV_QUESTION | {"uid": "1", "answer": "A", "question_type": ["event understanding", "reasoning"]}
    told = {"key": "Cm73ma6Ibcs", "type": "cartoon", "video_info": {"duration_minutes": 61, "fps": 24}}
    return as_lines(folder / "video_info.meta.jsonl", [told | {"qa": [LV_QUESTION, second]}]).parent


def lvbench_parquet(folder):
    film(folder / "all_videos/Cm73ma6Ibcs.mp4")
    row = {"key": "Cm73ma6Ibcs", "video_path": "Cm73ma6Ibcs.mp4", "type": "cartoon", **LV_QUESTION}
    as_parquet(folder / "data/train-00000-of-00001.parquet", [row])
    return folder


VIDEO_BOARDS = {
    "longvideobench": longvideobench,
    "longvideobench-parquet": longvideobench_parquet,
    "videomme": videomme,
    "lvbench": lvbench,
    "lvbench-parquet": lvbench_parquet,
}
"""Writes a set into a folder and returns the path to load."""
