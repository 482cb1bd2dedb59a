"""The forms in which sets lie on disk after a download, made here in the published columns: `FORMS[name](folder)`.

Each writes one into a folder and returns what to load. The colour of an image tells which one is shown.
"""

import base64
import csv
import io
import json
import tarfile

import pytest
from PIL import Image

from tests.pixel_env.tasks.published import as_parquet, as_tsv, film, picture
from tests.written_files import as_json, as_lines

LETTERED = "What colour is it?\n(A) red\n(B) blue\n"
REQUEST = "Answer with the option's letter from the given choices directly."


def encoded_bytes(colour="red", size=(64, 48), form="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def embedded(colour="red", path=None):
    """An image as the hub's image columns hold it."""
    return {"bytes": encoded_bytes(colour), "path": path}


def base64_of(colour="red"):
    return base64.b64encode(encoded_bytes(colour)).decode()


def data_url(colour="red"):
    return f"data:image/png;base64,{base64_of(colour)}"


def vstar_rows(count=2):
    row = {
        "text": LETTERED + REQUEST,
        "image": embedded(path="sa_1.jpg"),
        "label": "A",
        "category": "direct_attributes",
    }
    return [row | {"question_id": str(number)} for number in range(count)]


def choice_rows(count=2, **more):
    return [{"image": embedded(), "question": "q?", "choices": ["red", "blue"], "answer": 0} | more] * count


def hr_bench_row(number):
    row = {"index": number, "image": base64_of(), "question": "q?", "answer": "A", "category": "single"}
    return row | {"A": "red", "B": "blue", "C": "green", "D": "white", "cycle_category": f"cycle_{number}"}


def lmms_vstar(folder):
    as_parquet(folder / "data/test-00000-of-00001.parquet", vstar_rows())
    return folder


def vstar_with_choices(folder):
    as_parquet(folder / "data/test-00000-of-00001.parquet", choice_rows())
    return folder


def parquet_conversion(folder):
    """refs/convert/parquet: a folder for the config, one for the split, numbered files."""
    for split in ("train", "test"):
        for number in range(2):
            as_parquet(folder / f"default/{split}/{number:04}.parquet", choice_rows(1 if split == "test" else 2))
    return folder


def shards(folder):
    for number in range(3):
        rows = [row | {"question": f"q{number}?"} for row in choice_rows()]
        as_parquet(folder / f"data/test-{number:05}-of-00003.parquet", rows)
    return folder


def base64_column(folder):
    return as_parquet(folder / "hr_bench_4k.parquet", [hr_bench_row(number) for number in range(4)])


def tallyqa_of_hub(folder):
    asked = [
        {"question": "How many cups?", "answer": "3", "is_simple": True, "data_source": "imported_vqa"},
        {"question": "How many red cups?", "answer": "1", "is_simple": False, "data_source": "amazon_mechanical_turk"},
    ]
    for number in range(2):
        as_parquet(folder / f"data/test-{number:05}-of-00002.parquet", [{"image": embedded(), "qa": asked}])
    return folder


def docvqa_rows():
    row = {"questionId": "337", "question": "what is the date?", "question_types": ["handwritten", "form"]}
    return [row | {"docId": "279", "ucsf_document_id": "xnbl0037", "ucsf_document_page_no": "1", "answers": ["1/8/93"]}]


def docvqa_of_hub(folder):
    rows = [row | {"image": embedded(), "data_split": "val"} for row in docvqa_rows()]
    as_parquet(folder / "DocVQA/validation-00000-of-00001.parquet", rows)
    as_parquet(folder / "DocVQA/test-00000-of-00001.parquet", [row | {"answers": None} for row in rows])
    return folder


def docvqa_download(folder):
    picture(folder / "spdocvqa_images/xnbl0037_1.png", (64, 48), "red")
    rows = [row | {"image": "documents/xnbl0037_1.png", "data_split": "val"} for row in docvqa_rows()]
    as_json(folder / "spdocvqa_qas/val_v1.0_withQT.json", {"dataset_name": "SP-DocVQA", "data": rows})
    return folder


def infographicvqa_of_hub(folder):
    row = {"questionId": "1", "question": "Which?", "answers": ["pinterest"], "answer_type": ["single span"]}
    row |= {"image": embedded(), "image_url": "https://x.test/1.jpeg", "operation/reasoning": [""], "ocr": "{}"}
    for number in range(2):
        as_parquet(folder / f"InfographicVQA/validation-{number:05}-of-00002.parquet", [row | {"data_split": "val"}])
    return folder


def released_in_shards(folder):
    picture(folder / "images/a.png", (64, 48), "red")
    row = {"qid": "vstar-1", "question": "<image>\n" + LETTERED, "answer": ["\\boxed{A}"], "image": ["images/a.png"]}
    for number in range(2):
        as_parquet(folder / f"test-{number:05}-of-00002.parquet", [row | {"is_video": None, "qid": f"v-{number}"}])
    return folder


def verl_row():
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": f"<image>\n{LETTERED}"}]
    row = {"data_source": "vstar", "prompt": messages, "images": [embedded()], "ability": "visual"}
    return row | {"reward_model": {"style": "rule", "ground_truth": "A"}, "extra_info": {"index": "0", "split": "test"}}


def verl(folder):
    return as_parquet(folder / "test.parquet", [verl_row()])


def deepeyes(folder):
    asked = f"{LETTERED}\nThink first, call **image_zoom_in_tool** if needed, then answer. Format: <think>...</think>"
    messages = [{"role": "system", "content": "tools"}, {"role": "user", "content": f"<image>\n{asked}"}]
    row = verl_row() | {"prompt": messages, "env_name": "visual_toolbox_v2"}
    return as_parquet(folder / "data_0.1.2_visual_toolbox_v2.parquet", [row])


def lists_of_messages(folder):
    """verl's own form of a multimodal message, with the image named."""
    picture(folder / "a.png", (64, 48), "red")
    messages = [{"role": "user", "content": LETTERED}]
    return as_parquet(folder / "train.parquet", [verl_row() | {"prompt": messages, "images": [{"image": "a.png"}]}])


def saved_to_disk(folder):
    datasets = pytest.importorskip("datasets")
    row = {"question": "q?", "options": ["red", "blue"], "answer": "A"}
    columns = [row | {"image": Image.new("RGB", (64, 48), "red")} for _ in range(3)]
    sets = {"test": columns, "train": columns[:1]}
    made = datasets.DatasetDict({split: datasets.Dataset.from_list(rows) for split, rows in sets.items()})
    made.save_to_disk(folder / "saved")
    return folder / "saved"


def comma_separated(folder):
    picture(folder / "a.png", (64, 48), "red")
    rows = [
        ["id", "question", "A", "B", "answer", "image"],
        ["1", 'Is it "red",\nor not?', "red, yes", "no", "A", "a.png"],
    ]
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*rows, ["2", "q?", "red", "blue", "A", base64_of()]])
    return folder / "a.csv"


def samples(folder):
    """An archive of the library webdataset."""
    with tarfile.open(folder / "shard-000000.tar", "w") as tar:
        for number in range(2):
            row = {"question": "q?", "options": ["red", "blue"], "answer": "A"}
            for name, content in (("png", encoded_bytes()), ("json", json.dumps(row).encode())):
                entry = tarfile.TarInfo(f"part/{number:06}.{name}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return folder


def evaluation_lines(folder):
    """Qwen-VL's and InternVL's own files of evaluation."""
    picture(folder / "data/a.png", (64, 48), "red")
    return as_lines(
        folder / "val.jsonl", [{"image": "data/a.png", "question": "What colour?", "question_id": 3, "answer": "red"}]
    )


def evaluation_lines_of_many_answers(folder):
    picture(folder / "data/a.png", (64, 48), "red")
    row = {"image": "data/a.png", "question": "What colour?", "question_id": 3, "answer": ["red", "crimson"]}
    return as_lines(folder / "val.jsonl", [row])


def llava(folder):
    picture(folder / "a.png", (64, 48), "red")
    turns = [{"from": "human", "value": f"<image>\n{LETTERED}"}, {"from": "gpt", "value": "A"}]
    more = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "It is."}]
    return as_json(folder / "llava.json", [{"id": "1", "image": "a.png", "conversations": turns + more}])


def sharegpt(folder):
    picture(folder / "a.png", (64, 48), "red")
    turns = [{"role": "user", "content": f"<image>{LETTERED}"}, {"role": "assistant", "content": "A"}]
    return as_lines(folder / "sharegpt.jsonl", [{"messages": turns, "images": ["a.png"]}])


def data_urls(folder):
    return as_lines(folder / "mine.jsonl", [{"question": "q?", "answer": "red", "image": data_url()}])


def base64_in_json(folder):
    row = {"question": "q?", "answer": "red", "image": base64_of(), "qid": "a-1"}
    return as_json(folder / "rows.json", [row])


def one_column_of_options(folder):
    row = {"index": 0, "question": "q?", "multi-choice options": "['(A) red', '(B) blue']", "answer": "A"}
    return as_parquet(folder / "lite.parquet", [row | {"category": "c", "image": base64_of()}])


def easy_r1(folder):
    row = {"images": [embedded()], "problem": f"<image>{LETTERED}", "answer": "A"}
    as_parquet(folder / "data/test-00000-of-00001.parquet", [row])
    return folder


def mathvista(folder):
    """`image` is a path in an archive, `decoded_image` the image itself."""
    row = {"pid": "1", "question": "q?", "image": "images/1.jpg", "decoded_image": embedded(), "answer": "red"}
    as_parquet(folder / "data/testmini-00000-of-00001.parquet", [row | {"choices": ["red", "blue"]}])
    return folder


def numbered_images(folder):
    row = {"id": "v_1", "question": "q?", "options": "['red', 'blue']", "answer": "A", "image_1": embedded()}
    as_parquet(folder / "Art/validation-00000-of-00001.parquet", [row | {"image_2": embedded("blue"), "image_3": None}])
    return folder


def local_table(folder):
    """What VLMEvalKit writes for a table above 1 GB: the images are files, named by whole paths."""
    picture(folder / "images/HRBench4K/0.jpg", (64, 48), "red")
    row = {"index": 0, "question": "q?", "A": "red", "B": "blue", "answer": "A"}
    path = str(folder / "images/HRBench4K/0.jpg")
    return as_tsv(folder / "HRBench4K_local.tsv", [row | {"image_path": path}])


def mvbench_cut(folder):
    """MVBench's branch `video`: segments are files of their own."""
    film(folder / "star/Charades_segment/A_2.0_9.5.mp4", 30)
    row = {"video": "A.mp4", "question": "q?", "candidates": ["red", "blue"], "answer": "red", "start": 2.0, "end": 9.5}
    film(folder / "sta/sta_video_segment/B_1.0_4.0.mp4", 30)
    named = {"video": "B_1.0_4.0.mp4", "question": "q?", "candidates": ["red", "blue"], "answer": "red"}
    as_json(folder / "json/action_sequence.json", [row])
    as_json(folder / "json/action_localization.json", [named])
    return folder


FORMS = {
    make.__name__: make
    for make in (
        *(lmms_vstar, vstar_with_choices, parquet_conversion, shards, base64_column, tallyqa_of_hub, docvqa_of_hub),
        *(docvqa_download, infographicvqa_of_hub, released_in_shards, verl, deepeyes, lists_of_messages, saved_to_disk),
        *(comma_separated, samples, evaluation_lines, evaluation_lines_of_many_answers, llava, sharegpt, data_urls),
        *(base64_in_json, one_column_of_options, easy_r1, mathvista, numbered_images, local_table, mvbench_cut),
    )
}
"""Writes a form into a folder and returns the path to load."""
