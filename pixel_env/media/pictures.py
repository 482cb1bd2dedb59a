"""Pictures as they are shown: decoded image files as upright RGB.

Depends on Pillow; independent of sources, views and caches.
"""

import numpy as np
from PIL import Image


def as_rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB; transparent pixels lie on white, 16 bits a channel become 8."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
