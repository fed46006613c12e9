"""The built-in painter as a backend: it has other engines of the registry compose, paint and enlarge a picture.

What composes is the engine that draws by rules; what paints and enlarges, the one that fills these gaps. It draws from
words alone, and takes over no request that the first refuses.
"""

from dataclasses import replace
from typing import Final

from backends.base import Backend, ComposingBackend, Neighbours, ProgressCallback
from backends.painted.kind import DEFAULT_STRENGTH, NAME
from constants import PAINTED
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from texts.text import _
from utils.palettes import with_colours_of
from utils.threads import run_in_thread

LINE: Final = f"painted: {PAINTED}"  # no text: written into pictures
PAINTING: Final = frozenset({Mode.RESTYLE, Mode.UPSCALE})
# Those of the network's styles in which what is shown stays clear; the seed takes one.
CLEAR_STYLES: Final = ("painting 1", "painting 5", "painting 13", "painting 24", "painting 25", "painting 26")
COLOURS: Final = 0.5  # of what was composed: a red fox stays red
FACTOR: Final = 2  # composed and painted so much smaller, since that is what takes time
SHARES: Final = (0.1, 0.4, 0.95)  # of the way: composed, painted, enlarged


class PaintedBackend:
    """Composes, paints and enlarges with the other engines of its registry, one picture after the other.

    `strength` is the share of the painting in what comes of it, 0 to 1.
    """

    kind = NAME
    is_paid = False

    def __init__(self, name: str = NAME, *, strength: float = int(DEFAULT_STRENGTH) / 100) -> None:
        self.name = name
        self._strength = strength
        self._others: Neighbours | None = None

    def work_with(self, others: Neighbours) -> None:
        self._others = others

    async def capabilities(self) -> Capabilities:
        composer, painter = self._parts()
        composing, painting = await composer.capabilities(), await painter.capabilities()
        return replace(
            composing,
            modes=frozenset({Mode.TXT2IMG}),
            styles=painting.styles,
            supports_preview=False,
            remark=LINE,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Draw the pictures of one request, the seed rising by one from picture to picture.

        Raises:
            GenerationError: as the engine that composes or paints raises it.
        """
        composer, painter = self._parts()
        styles = (await painter.capabilities()).styles or ()
        smaller = await _smaller(request, composer)
        composed = await composer.compose(smaller, _part(report, 0, SHARES[0]))
        pictures, count = [], len(composed.images)
        for number, image in enumerate(composed.images):
            start, whole = SHARES[0] + (1 - SHARES[0]) * number / count, (1 - SHARES[0]) / count
            work = _Work(request, smaller, composer, painter, _part(report, start, whole))
            style = request.styles[0] if request.styles else _style(styles, image.seed)
            pictures.append(GeneratedImage(data=await work.finish(image.data, style, self._strength), seed=image.seed))
        await report(Progress(fraction=1.0))
        return GenerationResult(images=tuple(pictures))

    async def aclose(self) -> None:
        self._others = None

    def _parts(self) -> tuple[ComposingBackend, Backend]:
        """Return what composes and what paints.

        Raises:
            BackendUnavailable: one of them is not here, or this one is closed.
        """
        entries = [*self._others] if self._others is not None else []
        composer = next((entry.backend for entry in entries if isinstance(entry.backend, ComposingBackend)), None)
        painter = next((entry.backend for entry in entries if {*entry.fills} >= PAINTING), None)
        if composer is None or painter is None:
            raise BackendUnavailable(_("What composes the picture, or what paints it, is not here."))
        return composer, painter


@dataclass(frozen=True, kw_only=False)
class _Work:
    """One composed picture on its way to what was asked for."""

    request: GenerationRequest
    smaller: GenerationRequest
    composer: ComposingBackend
    painter: Backend
    report: ProgressCallback

    async def finish(self, composed: bytes, style: str, strength: float) -> bytes:
        """Paint it in a style, enlarge and sign it."""
        painting = replace(self.smaller, mode=Mode.RESTYLE, styles=(style,), denoising_strength=strength)
        painted = await self._by_painter(composed, painting, (0.0, SHARES[1]))
        data = await run_in_thread(with_colours_of, painted, composed, COLOURS)
        if (factor := self.request.width / self.smaller.width) > 1:
            larger = replace(self.smaller, mode=Mode.UPSCALE, styles=(), upscale_factor=factor)
            data = await self._by_painter(data, larger, (SHARES[1], SHARES[2]))
        return await self.composer.sign(data, LINE)

    async def _by_painter(self, data: bytes, request: GenerationRequest, span: tuple[float, float]) -> bytes:
        source = SourceImage.of(data, self.smaller.width, self.smaller.height)
        order = replace(request, init_image=source, batch_size=1)
        result = await self.painter.generate(order, _part(self.report, span[0], span[1] - span[0]))
        return result.images[0].data


def _style(styles: tuple[str, ...], seed: int) -> str:
    """Return the style for a seed: one that stays clear where the engine has such."""
    choice = [name for name in CLEAR_STYLES if name in styles] or styles
    return choice[seed % len(choice)]


async def _smaller(request: GenerationRequest, composer: Backend) -> GenerationRequest:
    """Return what is composed: so much smaller than what is asked for as it is enlarged later."""
    least = (await composer.capabilities()).min_side
    factor = FACTOR if min(request.width, request.height) >= FACTOR * least else 1
    return replace(request, width=request.width // factor, height=request.height // factor, styles=())


def _part(report: ProgressCallback, start: float, share: float) -> ProgressCallback:
    """Return what reports a part of the way as such; no step of one engine is one of the whole."""

    async def tell(progress: Progress) -> None:
        await report(Progress(fraction=start + share * progress.fraction))

    return tell
