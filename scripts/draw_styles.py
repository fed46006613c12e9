"""Draw the small pictures of the built-in styles (api/static/styles) with the sketch engine.

Run after a change of services/drawing/styles.json: python -m scripts.draw_styles
"""

import json
from pathlib import Path

from PIL import Image

from backends.sketch.painter import Painting, paint

ROOT = Path(__file__).parent.parent
STYLES = ROOT / "services" / "drawing" / "styles.json"
FOLDER = ROOT / "api" / "static" / "styles"
SUBJECT = "a lighthouse on a hill at the sea"
DRAWN_PX, KEPT_PX = 384, 144  # twice what the page shows
STEPS, SEED, QUALITY = 20, 11, 78


def main() -> None:
    """Draw each one again; the same styles give the same files."""
    FOLDER.mkdir(exist_ok=True)
    for style in json.loads(STYLES.read_bytes()):
        prompt = f"{SUBJECT}, {style['value']}"
        painting = Painting(prompt=prompt, width=DRAWN_PX, height=DRAWN_PX, steps=STEPS, seed=SEED)
        small = paint(painting).resize((KEPT_PX, KEPT_PX), Image.Resampling.LANCZOS)
        small.save(FOLDER / f"{style['id']}.webp", "WEBP", quality=QUALITY, method=6)
        print(style["id"])


if __name__ == "__main__":
    main()
