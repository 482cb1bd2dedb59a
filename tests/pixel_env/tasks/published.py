"""Small sets in every published schema, made here: `PUBLISHED[name](folder)` writes one and returns what to load."""

from tests.pixel_env.tasks.made import as_parquet, as_tsv, encoded, film, picture
from tests.pixel_env.tasks.published_boards import BOARDS
from tests.pixel_env.tasks.published_videos import VIDEO_BOARDS
from tests.written_files import as_json, as_lines

# ------------------------------------------------------------------------------------------------------- published

RL_ROWS = [
    {
        "question": "<image>\nWhat is the material of the glove?\n(A) rubber\n(B) cotton\n"
        "Answer with the letter directly.",
        "answer": ["\\boxed{B}"],
        "image": ["images/glove.png"],
        "is_video": None,
        "qid": "vstar-7",
    },
    {
        "question": "How many dogs?",
        "answer": ["\\boxed{4}"],
        "image": ["images/dogs.png"],
        "is_video": False,
        "qid": "tally-3",
    },
    {
        "question": "What was taken?",
        "answer": ["\\boxed{['The clothes.', 'clothes']}"],
        "image": [f"videos/clip/{i:02}.png" for i in range(20)],
        "is_video": True,
        "qid": "star-1",
    },
]

VSTAR_LINE = {
    "image": "direct_attributes/sa_1.jpg",
    "text": "What is the colour of the cup?\n(A) red\n(B) blue\n(C) green\n(D) white\n"
    "Answer with the option's letter from the given choices directly.",
    "category": "direct_attributes",
    "label": "C",
    "question_id": 0,
}
VSTAR_FILE = {
    "target_object": ["cup"],
    "bbox": [[32, 24, 64, 48]],
    "question": "What is the colour of the cup?",
    "options": ["The colour of the cup is green.", "The colour of the cup is red."],
}
TALLY_ROW = {
    "answer": 4,
    "data_source": "imported_genome",
    "image": "VG_100K_2/1.jpg",
    "image_id": 92410408,
    "issimple": False,
    "question": "How many headlights does the black bus have?",
    "question_id": 30095774,
}
INFO_ROW = {
    "questionId": 65718,
    "question": "Which platform is used most?",
    "image_local_name": "20471.jpeg",
    "image_url": "somewhere",
    "ocr_output_file": "20471.json",
    "answers": ["pinterest", "Pinterest Inc"],
    "answer_type": ["single span"],
    "evidence": ["text"],
    "operation/reasoning": [],
}
MV_ROW = {
    "video": "A.mp4",
    "question": "What happened after the person took the food?",
    "candidates": ["Ate the medicine.", "Tidied up the blanket.", "Put down the cup."],
    "answer": "Ate the medicine.",
    "start": 2.0,
    "end": 9.5,
}


def rl_data(folder):
    for row in RL_ROWS:
        for name in row["image"]:
            picture(folder / name)
    return as_parquet(folder / "release.parquet", RL_ROWS)


def evaluation(folder):
    picture(folder / "images" / "one.jpg")
    rows = [{"qid": f"vstar-{i}", "question": RL_ROWS[0]["question"], "answer": "\\boxed{A}"} for i in range(2)]
    return as_parquet(folder / "vstar.parquet", [row | {"image": ["images/one.jpg"]} for row in rows])


def vstar(folder):
    picture(folder / "direct_attributes" / "sa_1.jpg")
    picture(folder / "relative_position" / "sa_2.jpg")
    second = {"image": "relative_position/sa_2.jpg", "category": "relative_position", "label": "A", "question_id": 115}
    as_json(folder / "direct_attributes" / "sa_1.json", VSTAR_FILE)
    as_json(folder / "relative_position" / "sa_2.json", VSTAR_FILE | {"bbox": [[0, 0, 32, 24], [300, 200, 90, 90]]})
    as_lines(folder / "test_questions.jsonl", [VSTAR_LINE, VSTAR_LINE | second])
    return folder


def vstar_files(folder):
    vstar(folder)
    (folder / "test_questions.jsonl").unlink()
    return folder


def tallyqa(folder):
    picture(folder / "VG_100K_2" / "1.jpg")
    simple = TALLY_ROW | {"issimple": True, "question": "How many buses?", "answer": 1, "question_id": 2}
    return as_json(folder / "test.json", [TALLY_ROW, simple])


def infographicvqa(folder):
    picture(folder / "infographicsvqa_images" / "20471.jpeg", (300, 2400))
    content = {"dataset_name": "infographicsVQA", "dataset_version": "1.0", "dataset_split": "val", "data": [INFO_ROW]}
    as_json(folder / "infographicsvqa_qas" / "infographicsVQA_val_v1.0_withQT.json", content)
    return folder


def mvbench(folder):
    film(folder / "video/star/Charades_v1_480/A.mp4")
    for i in range(20):
        picture(folder / f"video/clevrer/video_validation/B/{i}.jpg")
    for i in range(1, 61):
        picture(folder / f"video/tvqa/frames_fps3_hq/C/{i:05}.jpg", (64, 48))
    as_json(folder / "json" / "action_sequence.json", [MV_ROW])
    as_json(folder / "json" / "moving_count.json", [{**MV_ROW, "video": "B.mp4", "start": None, "end": None}])
    as_json(folder / "json" / "episodic_reasoning.json", [MV_ROW | {"video": "C"}])
    return folder


def vlmevalkit(folder):
    row = {"index": 0, "image": encoded(), "question": 'What does the "sign" say?\nLook closely.', "A": "stop"}
    row |= {"B": "go", "C": None, "answer": "B", "category": "direct_attributes"}
    second = row | {"index": 1, "image": "0", "answer": "A"}
    return as_tsv(folder / "VStarBench.tsv", [row, second])


def mvbench_table(folder):
    """MVBench as VLMEvalKit writes it down: one table beside the json files that it was made from."""
    mvbench(folder)
    told = {"prefix": "video/star/Charades_v1_480/", "data_type": "video", "bound": True, "index": 0}
    other = {"prefix": "video/clevrer/video_validation/", "bound": False, "start": None, "end": None, "index": 1}
    first = {"task_type": "Action Sequence", **told, **MV_ROW}
    rows = [first, first | other | {"task_type": "Moving Count", "video": "B.mp4"}]
    return as_tsv(folder / "MVBench.tsv", rows)


def vlmevalkit_paths(folder):
    """A table whose pictures are files beside it."""
    picture(folder / "images/0.jpg")
    row = {"index": 0, "image_path": "images/0.jpg", "question": "How many cups?", "answer": 3}
    return as_tsv(folder / "tallyqa_data.tsv", [row, row | {"index": 1}])


def own(folder):
    """A user's own tasks."""
    picture(folder / "desk.png")
    row = {"question": "Which digit is on the card?", "image": "desk.png", "answer": "7"}
    return as_lines(folder / "mine.jsonl", [row, row | {"id": "second", "options": ["7", "8"]}])


PUBLISHED = {
    "rl-data": rl_data,
    "evaluation": evaluation,
    "vstar": vstar,
    "vstar-files": vstar_files,
    "tallyqa": tallyqa,
    "infographicvqa": infographicvqa,
    "mvbench": mvbench,
    "mvbench-table": mvbench_table,
    "vlmevalkit": vlmevalkit,
    "vlmevalkit-paths": vlmevalkit_paths,
    "tasks": own,
    **BOARDS,
    **VIDEO_BOARDS,
}
"""Writes a set into a folder and returns the path to load."""
