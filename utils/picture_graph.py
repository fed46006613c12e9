"""The graph that ComfyUI puts into its pictures: the text `prompt` of a PNG, the EXIF of a JPEG or WebP."""

import io

from PIL import Image


def graph_in_picture(data: bytes) -> str | None:
    """Return the graph as JSON, the editor's own where no other is there, None if this is no such picture. Blocks."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            texts = dict(image.info)
            for value in image.getexif().values():  # "prompt:{...}" in the camera's model, as ComfyUI writes it
                name, colon, text = value.partition(":") if isinstance(value, str) else ("", "", "")
                if colon:
                    texts.setdefault(name.lower(), text)
    except Exception:  # a decoder may raise anything on a damaged file, and such a file carries no graph
        return None
    found = texts.get("prompt") or texts.get("workflow")
    return found.strip("\0 ") if isinstance(found, str) else None
