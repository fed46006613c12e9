"""Orders for a maker, and the pictures that come of them."""

import io

from PIL import Image, ImageChops

from backends.embedded.work.orders import ChildOrder, Rung

MODES = ("txt2img", "img2img", "inpaint")


def png(colour, size=(64, 64), mode="RGB"):
    return saved(Image.new(mode, size, colour))


def mask(size=(64, 64)):
    picture = Image.new("L", size, 0)
    picture.paste(255, (0, 0, size[0] // 2, size[1]))
    return saved(picture)


def saved(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def order(model, mode="txt2img", **changes):
    pictures = {"txt2img": (), "img2img": (png("red"),), "inpaint": (png("red"), mask())}[mode]
    values = {
        "model": model, "mode": mode, "prompt": "a red fox", "negative_prompt": "", "width": 64, "height": 64,
        "steps": 4, "cfg_scale": 3.0, "seeds": (7,), "strength": None if mode == "txt2img" else 0.6,
        "pictures": pictures,
    }  # fmt: skip
    return ChildOrder(**(values | changes))


def draw(maker, asked, on_step=lambda step, preview: None):
    maker.load(asked.model, Rung.WHOLE)
    return maker.draw(asked, asked.seeds, on_step)


def opened(data):
    return Image.open(io.BytesIO(data))


def apart(first, second):
    """Return how far two pictures are apart, in steps of 256."""
    return max(high for _low, high in ImageChops.difference(opened(first), opened(second)).getextrema())


def resident_mb():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20
