"""An engine that spares nothing: it paints the whole canvas again, moved aside, whatever the mask says."""

import io
from dataclasses import replace

from PIL import Image, ImageChops

from backends.base import ProgressCallback
from generation.capabilities import Capabilities
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult
from tests.fakes import FakeBackend
from utils.image_text import with_parameters

TEXT = "a fox\nSteps: 20, Seed: 5, Size: 1x1, Version: v1.10.1"


class Repainter(FakeBackend):
    """Keeps the files it gave in `files`."""

    def __init__(self, name: str = "gpu1", *, shift: int = 9, **offered: object) -> None:
        capabilities = Capabilities(modes=frozenset(Mode), control_kinds=("canny",))
        super().__init__(name, capabilities=replace(capabilities, **offered))  # type: ignore[arg-type]
        self.shift = shift
        self.files: list[bytes] = []

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        result = await super().generate(request, report)
        self.files = [with_parameters(self._paint(request), TEXT) for _ in result.images]
        images = zip(self.files, result.images, strict=True)
        return replace(result, images=tuple(GeneratedImage(data=data, seed=image.seed) for data, image in images))

    def _paint(self, request: GenerationRequest) -> bytes:
        size = (request.width, request.height)
        picture = Image.new("RGB", size, "teal")
        if request.init_image:
            source = Image.open(io.BytesIO(request.init_image.data)).convert("RGB")
            if request.mode is Mode.UPSCALE:  # as a web UI does it, sides cut to its grid
                factor = request.upscale_factor or 2.0
                size = tuple(max(8, int(side * factor) // 8 * 8) for side in source.size)
                picture = source.resize(size)
            else:
                assert source.size == size, "engines get pictures that lie on their grid already"
                picture = ImageChops.invert(ImageChops.offset(source, self.shift, self.shift // 2))
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()
