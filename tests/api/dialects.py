"""Pictures as the dialects carry them."""

import base64
import io

from PIL import Image


def data_url(picture: bytes | Image.Image) -> str:
    if isinstance(picture, Image.Image):
        out = io.BytesIO()
        picture.save(out, "PNG")
        picture = out.getvalue()
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def picture_of(reply: str) -> Image.Image:
    """Open a picture given as a data: URL or as base64."""
    return Image.open(io.BytesIO(base64.b64decode(reply.rpartition(",")[2]))).convert("RGB")
