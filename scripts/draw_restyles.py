"""Draw the small pictures of the styles that pictures are painted in (api/static/styles), with the networks themselves.

Run after a change of backends/art/work/networks.toml, where the networks are installed: python -m scripts.draw_restyles
"""

import asyncio
import io
import re
from dataclasses import replace

from PIL import Image

from backends.base import BackendConfig, ComposingBackend
from backends.kinds import known_kinds
from constants import DEFAULT_CFG_SCALE
from generation.request import GenerationRequest, Mode, SourceImage
from scripts.draw_styles import DRAWN_PX, FOLDER, KEPT_PX, SEED, STEPS, SUBJECT, _ignore

QUALITY_OF_STROKES = 50  # they need many bytes, and are no less themselves with fewer


async def draw_all() -> None:
    """Paint the same scene in each style; the same networks give the same files."""
    engines = [kind.make(BackendConfig(name=kind.name, kind=kind.name)) for kind in known_kinds() if kind.is_fallback]
    composer = next(engine for engine in engines if isinstance(engine, ComposingBackend))
    painter = next(engine for engine in engines if engine is not composer)
    request = GenerationRequest(
        prompt=SUBJECT, width=DRAWN_PX, height=DRAWN_PX, steps=STEPS, cfg_scale=DEFAULT_CFG_SCALE, seed=SEED
    )
    source = SourceImage.of((await composer.compose(request, _ignore)).images[0].data, DRAWN_PX, DRAWN_PX)
    for style in (await painter.capabilities()).styles or ():
        order = replace(request, mode=Mode.RESTYLE, init_image=source, styles=(style,), denoising_strength=1.0)
        (image,) = (await painter.generate(order, _ignore)).images
        small = Image.open(io.BytesIO(image.data)).resize((KEPT_PX, KEPT_PX), Image.Resampling.LANCZOS)
        name = re.sub(r"\W+", "-", style.casefold())
        small.save(FOLDER / f"{name}.webp", "WEBP", quality=QUALITY_OF_STROKES, method=6)
        print(style)
    for engine in engines:
        await engine.aclose()


if __name__ == "__main__":
    asyncio.run(draw_all())
