"""Engines inside this process that take their time and no processor, for lanes by the dozen; their kind is "timed"."""

import asyncio
import time
from functools import cache

from backends.base import BackendConfig, ProgressCallback
from backends.kind import EngineKind, Option
from backends.kinds import register
from generation.capabilities import Capabilities
from generation.job import Progress
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult
from tests.utils.pictures import noise

SIDE_PX = 128
PREVIEW_SIDE_PX = 512
STEPS_A_SECOND = 4


class TimedEngine:
    """Draws one picture after the other, `seconds` each, and knows when it was at work.

    The options are those of its settings: `seconds`, `previews`, how many it shows a second, and `side` of a picture.
    """

    kind = "timed"
    is_paid = False

    def __init__(self, config: BackendConfig) -> None:
        self.name = config.name
        self.seconds = float(config.options.get("seconds", "1"))
        self.previews = float(config.options.get("previews", "0"))
        self._picture = _picture(int(config.options.get("side", str(SIDE_PX))))
        self.busy: list[tuple[float, float]] = []  # (began, ended), monotonic seconds
        self.ended: dict[str, float] = {}  # when the picture of a prompt was ready
        self._turn = asyncio.Lock()

    async def capabilities(self) -> Capabilities:
        return Capabilities(modes=frozenset({Mode.TXT2IMG}), lines_up=True, supports_cancel=True)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        async with self._turn:
            began = time.monotonic()
            await self._draw(began, report)
            self.busy.append((began, time.monotonic()))
            self.ended[request.prompt] = time.monotonic()
        return GenerationResult(images=(GeneratedImage(data=self._picture, seed=request.seed),))

    async def _draw(self, began: float, report: ProgressCallback) -> None:
        while self.previews and (spent := time.monotonic() - began) < self.seconds:
            preview = PREVIEWS[int(spent * self.previews) % len(PREVIEWS)]
            await report(Progress(fraction=spent / self.seconds, preview=preview))
            await asyncio.sleep(1 / self.previews)
        await asyncio.sleep(max(0.0, began + self.seconds - time.monotonic()))

    async def aclose(self) -> None:
        pass


@cache
def _picture(side_px: int) -> bytes:
    return noise((side_px, side_px))


PREVIEWS = tuple(noise((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), "JPEG", seed) for seed in range(4))
OPTIONS = tuple(Option(name=name, type="seconds", low=0, help=name) for name in ("seconds", "previews", "side"))
KIND = EngineKind(
    name=TimedEngine.kind, title="Timed", noun="a timed engine", make=TimedEngine, options=OPTIONS, is_inside=True
)


def timed_settings(names: list[str], **options: float) -> dict[str, str]:
    """Return the settings of timed engines with these names, their kind being known from now on."""
    register(KIND)
    values = {"BACKENDS": ",".join(names)}
    for name in names:
        values[f"{name.upper()}_KIND"] = "timed"
        values |= {f"{name.upper()}_{option.upper()}": str(value) for option, value in options.items()}
    return values
