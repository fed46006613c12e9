"""Draw the small pictures of the built-in styles (api/static/styles) with the engine that is always there.

Run after a change of services/drawing/styles.json: python -m scripts.draw_styles
"""

import asyncio
import io
import json
from pathlib import Path

from PIL import Image

from backends.base import BackendConfig
from backends.kinds import known_kinds
from constants import DEFAULT_CFG_SCALE
from generation.job import Progress
from generation.request import GenerationRequest

ROOT = Path(__file__).parent.parent
STYLES = ROOT / "services" / "drawing" / "styles.json"
FOLDER = ROOT / "api" / "static" / "styles"
SUBJECT = "a lighthouse on a hill at the sea"
DRAWN_PX, KEPT_PX = 384, 144  # twice what the page shows
STEPS, SEED, QUALITY = 20, 11, 78


async def draw_all() -> None:
    """Draw each one again; the same styles give the same files."""
    FOLDER.mkdir(exist_ok=True)
    kind = next(kind for kind in known_kinds() if kind.is_fallback and not kind.fills)
    engine = kind.make(BackendConfig(name=kind.name, kind=kind.name))
    for style in json.loads(STYLES.read_bytes()):
        prompt = f"{SUBJECT}, {style['value']}"
        request = GenerationRequest(
            prompt=prompt, width=DRAWN_PX, height=DRAWN_PX, steps=STEPS, cfg_scale=DEFAULT_CFG_SCALE, seed=SEED
        )
        (image,) = (await engine.generate(request, _ignore)).images
        small = Image.open(io.BytesIO(image.data)).resize((KEPT_PX, KEPT_PX), Image.Resampling.LANCZOS)
        small.save(FOLDER / f"{style['id']}.webp", "WEBP", quality=QUALITY, method=6)
        print(style["id"])
    await engine.aclose()


async def _ignore(_: Progress) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    asyncio.run(draw_all())
