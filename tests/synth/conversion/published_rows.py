"""Rows of our making in the columns of published cold-start sets: one image of four colours, crops of it, and texts."""

import io
import json

from PIL import Image

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 200), "white": (240, 240, 240)}
"""Of the quarters: top left, top right, bottom left, bottom right."""
QUARTERS = {"red": (0, 0, 0.5, 0.5), "green": (0.5, 0, 1, 0.5), "blue": (0, 0.5, 0.5, 1), "white": (0.5, 0.5, 1, 1)}
SIZE = (560, 448)
TRAILER = "\nThink in the mind first, and then decide whether to call tools one or more times OR provide final answer."


def quarters(size=SIZE):
    """The image: each quarter has a disk of another size on its colour, so that no two regions look alike."""
    from PIL import ImageDraw

    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for number, (name, box) in enumerate(QUARTERS.items(), start=1):
        left, top, right, bottom = (round(part * side) for part, side in zip(box, (*size, *size), strict=True))
        draw.rectangle((left, top, right, bottom), fill=COLOURS[name])
        draw.ellipse((left + 20, top + 20, left + 40 * number, top + 40 * number), fill="black")
    return image


def cut(image, box):
    """The region of `box`, in fractions."""
    width, height = image.size
    return image.crop((round(box[0] * width), round(box[1] * height), round(box[2] * width), round(box[3] * height)))


def encoded(image):
    """An image as `datasets` stores it in parquet."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return {"bytes": buffer.getvalue(), "path": None}


# ----------------------------------------------------------------------------------------------------------- Mini-o3


def grounding(box, source="original_image"):
    """A call of Mini-o3."""
    return f'<think>I look closer.</think><grounding>{{"bbox_2d": {list(box)}, "source": "{source}"}}</grounding>'


def mini_o3_row(
    *boxes, answer="green", sample=0, ends_with_answer=True, question="<image>\nWhich colour has the sign?"
):
    """A row as it lies on the hub; the crops are those of `boxes` on the original."""
    whole = quarters()
    question = "<image>\nWhich colour has the sign?"
    messages = [{"from": "system", "value": "You may zoom in."}, {"from": "human", "value": question}]
    for number, box in enumerate(boxes):
        messages.append({"from": "gpt", "value": grounding(box)})
        shown = (
            f"After the above Action {number}, here is the zoom-in image (Observation {number + 1}):\n<image>.\nGo on."
        )
        messages.append({"from": "human", "value": shown})
    if ends_with_answer:
        messages.append({"from": "gpt", "value": f"<think>I see it.</think><answer>{answer}</answer>"})
    else:
        messages.pop()
    images = [whole, *(cut(whole, box) for box in boxes[: len(boxes) if ends_with_answer else len(boxes) - 1])]
    return {
        "conversations": json.dumps(messages),
        "images": [encoded(image) for image in images],
        "image_names": [f"{number}.jpg" for number in range(len(images))],
        "data_source": "visual_probe",
        "sample_index": sample,
        "rollout_index": 0,
    }


def parquet_file(path, *rows):
    """A parquet file of the rows."""
    import pyarrow
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


# --------------------------------------------------------------------------------------------------- Chain-of-Focus


def zoom(box):
    """A call of Chain-of-Focus, in pixels of the shown image."""
    call = {"name": "image_zoom_in_tool", "arguments": {"bbox_2d": list(box), "label": "the sign"}}
    return f"<think> I look closer. </think>\n<tool_call>\n{json.dumps(call)}\n</tool_call>"


def cof_row(folder, number, box=None, answer="green", shown=None, question="Which colour has the sign?"):
    """A row of `cof_sft_data.json`, its images below `images/`; the crop is the box, 1.5 times as large, magnified."""
    whole = quarters()
    images = [whole]
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": f"<image> Question: {question}{TRAILER}"},
    ]
    if box is not None:
        messages.append({"role": "assistant", "content": zoom(box)})
        messages.append({"role": "user", "content": f"<image>{TRAILER}"})
        crop = whole.crop(wider(box)) if shown is None else shown
        images.append(crop.resize((2 * crop.width, 2 * crop.height)))
    messages.append({"role": "assistant", "content": f"<think> I see it. </think>\n<answer> {answer} </answer>"})
    (folder / "images" / str(number)).mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        image.save(folder / "images" / str(number) / f"{index}.jpg", quality=90)
    return {"messages": messages, "images": [f"./{number}/{index}.jpg" for index in range(len(images))]}


def wider(box, factor=1.5):
    """The box `factor` times as large about its centre, inside of the image."""
    left, top, right, bottom = box
    x, y, half_width, half_height = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
    edges = (x - factor * half_width, y - factor * half_height, x + factor * half_width, y + factor * half_height)
    return tuple(int(min(max(edge, 0), side)) for edge, side in zip(edges, (*SIZE, *SIZE), strict=True))


def cof_set(folder, *rows):
    """The published file of the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cof_sft_data.json").write_text(json.dumps(rows))
    return folder / "cof_sft_data.json"
