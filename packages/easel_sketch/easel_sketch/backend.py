"""The sketch engine as a backend: `painter` in a thread of this process. Nothing to install, nothing to connect to.

It is the engine of last resort and of demonstrations; every picture says that no AI model made it.
"""

import asyncio
import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from PIL import Image

from backends.base import ProgressCallback
from constants import DEFAULT_DENOISING_STRENGTH, MAX_IMAGE_PIXELS
from easel_sketch.painting.steps import StepCallback, Stopped
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, OutOfMemory, RequestRejected
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage, seed_after
from generation.result import GeneratedImage, GenerationResult
from texts.text import _
from utils.images import BadImage, inspect
from utils.threads import run_in_thread

THREADS: Final = 2
PREVIEW_EVERY_S: Final = 1.0
STOP_WAIT_S: Final = 5.0
DEFAULT_UPSCALE_FACTOR: Final = 2.0
MAX_SIDE_PX: Final = 2048
MAX_STEPS: Final = 150

_CAPABILITIES: Final = Capabilities(
    modes=frozenset(Mode) - {Mode.RESTYLE},
    max_side=MAX_SIDE_PX,
    max_steps=MAX_STEPS,
    supports_preview=True,
    supports_progress=True,
    supports_cancel=True,
    remark=_("sketch: drawn by rules, not by an AI model"),
)


class SketchBackend:
    """Paints in threads of its own, so that a long picture never holds up the codecs.

    Args:
        name: the instance's name.
        delay_s: seconds of rest at each step, so that progress can be watched.
    """

    kind = "sketch"
    is_paid = False

    def __init__(self, name: str = "sketch", *, delay_s: float = 0.0) -> None:
        self.name = name
        self._delay_s = delay_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sketch")  # starts threads at first use only
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        if self._is_closed:
            raise BackendUnavailable(_("The sketch engine is switched off."))
        return _CAPABILITIES

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Paint the pictures of one request, the seed rising by one from picture to picture.

        Raises:
            RequestRejected: the source or the mask cannot be read, or the result would be too large.
            OutOfMemory: it was too large for this machine.
            BackendUnavailable: the backend is closed.
        """
        return await self._painted(_Run(request, self._delay_s), report)

    async def compose(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Paint the pictures of a request from words alone, without the line in their corner; raises as `generate`."""
        return await self._painted(_Run(request, self._delay_s, is_bare=True), report)

    async def sign(self, data: bytes, line: str) -> bytes:
        """Return a picture with a line in its corner, as a PNG."""
        return await run_in_thread(_signed, data, line)

    async def _painted(self, run: "_Run", report: ProgressCallback) -> GenerationResult:
        await self.capabilities()
        task = self._pool.submit(run.paint)
        work = asyncio.wrap_future(task)
        work.add_done_callback(lambda __: run.end())
        try:
            while (progress := await run.progress()) is not None:
                await report(progress)
            return await work
        finally:
            run.stop.set()
            if not task.cancel() and not work.done():  # cancelled in mid-run: the thread is let out first
                await asyncio.wait({work}, timeout=STOP_WAIT_S)

    async def aclose(self) -> None:
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Run:
    """One request in a thread; what it reports comes out on the event loop, the newest only."""

    def __init__(self, request: GenerationRequest, delay_s: float, *, is_bare: bool = False) -> None:
        self._is_bare = is_bare
        self.stop = threading.Event()
        self._request = request
        self._delay_s = delay_s
        self._loop = asyncio.get_running_loop()
        self._reports: asyncio.Queue[Progress | None] = asyncio.Queue()
        self._preview_due = time.monotonic() + PREVIEW_EVERY_S

    async def progress(self) -> Progress | None:
        """Wait for news and return the newest; None at the end."""
        newest = await self._reports.get()
        while newest is not None and not self._reports.empty():
            following = self._reports.get_nowait()
            if following is None:
                self.end()  # the last news is told before the end
                break
            newest = following
        return newest

    def end(self) -> None:
        self._reports.put_nowait(None)

    def paint(self) -> GenerationResult:
        """Paint all pictures of the request. Blocks; a stopped run gives what it has, which nobody takes."""
        pictures: list[GeneratedImage] = []
        try:
            for number in range(self._request.batch_size):
                seed = seed_after(self._request.seed, number)
                picture = _draw(self._request, seed, self._teller(number), is_bare=self._is_bare)
                pictures.append(GeneratedImage(data=_png(picture), seed=seed))
        except Stopped:
            pass
        except MemoryError as error:
            raise OutOfMemory(detail=str(error)) from error
        return GenerationResult(images=tuple(pictures))

    def _teller(self, number: int) -> StepCallback:
        batch = self._request.batch_size

        def on_step(step: int, steps: int, make_preview: Callable[[], bytes]) -> bool:
            if self.stop.wait(self._delay_s):
                return False
            preview = None
            if (now := time.monotonic()) >= self._preview_due:
                preview = make_preview()
                self._preview_due = now + PREVIEW_EVERY_S
            news = Progress(fraction=(number + step / steps) / batch, step=step, steps=steps, preview=preview)
            self._loop.call_soon_threadsafe(self._reports.put_nowait, news)
            return True

        return on_step


def _draw(request: GenerationRequest, seed: int, on_step: StepCallback, *, is_bare: bool) -> Image.Image:
    """Call the painter in its own words."""
    from easel_sketch.painting import painter  # with the first picture: where real engines are, there is none

    if request.mode is Mode.UPSCALE:
        source = _opened(request.init_image)
        factor = request.upscale_factor or DEFAULT_UPSCALE_FACTOR
        width, height = round(source.width * factor), round(source.height * factor)
        if width * height > MAX_IMAGE_PIXELS:
            raise RequestRejected(
                _(
                    "Upscaled, this picture would have {width}×{height} pixels; at most "
                    "{most} million are possible. Use a smaller factor.",
                    width=width,
                    height=height,
                    most=MAX_IMAGE_PIXELS // 10**6,
                ),
                field="upscale_factor",
            )
        return painter.upscale(source, factor, on_step)
    painting = painter.Painting(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        steps=request.steps,
        seed=seed,
        cfg_scale=request.cfg_scale,
    )
    if request.mode is Mode.TXT2IMG:
        return painter.compose(painting, on_step) if is_bare else painter.paint(painting, on_step)
    strength = DEFAULT_DENOISING_STRENGTH if request.denoising_strength is None else request.denoising_strength
    source = _opened(request.init_image)
    if request.mode is Mode.INPAINT:
        return painter.inpaint(painting, source, _opened(request.mask_image), strength, on_step)
    return painter.repaint(painting, source, strength, on_step)


def _signed(data: bytes, line: str) -> bytes:
    from easel_sketch.painting.legend import sign  # with the first picture, as the painter

    return _png(sign(Image.open(io.BytesIO(data)).convert("RGB"), line))


def _opened(source: SourceImage | None) -> Image.Image:
    if source is None:
        raise RequestRejected(_("This needs a picture to start from. Attach one, or reply to one."), field="init_image")
    try:
        inspect(source.data, decode=True)
    except BadImage as error:
        raise RequestRejected(str(error), field="init_image") from error
    return Image.open(io.BytesIO(source.data))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
