"""Photos that EXIF turns, as phones store them, with a red card at known pixels of the photo as it is shown."""

import numpy as np
from PIL import Image

ORIENTATION = 0x0112
UNTURNED = {  # what a camera stores for each orientation; Pillow turns it back
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned_photo(path, size, cards=(), orientation=6):
    """A grey photo that is shown at `size`, with red cards [x, y, width, height] in shown pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = Image.new("RGB", size, (120, 120, 120))
    for x, y, width, height in cards:
        shown.paste((255, 0, 0), (x, y, x + width, y + height))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    method = UNTURNED[orientation]
    (shown if method is None else shown.transpose(method)).save(path, exif=exif, **quality(path))
    return path


def quality(path):
    return {"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}


def shows_red(task):
    """Whether every piece of evidence shows the red card and nothing else."""
    for evidence in task.evidence:
        image, box = task.sources[evidence.image].decode(), evidence.box
        x0, y0, x1, y1 = (round(edge) for edge in np.array(box.corners) * (image.size * 2))
        pixels = np.asarray(image)[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].reshape(-1, 3)
        if not pixels.size or not (pixels[:, 0] > 200).all() or not (pixels[:, 1:] < 80).all():
            return False
    return bool(task.evidence)
