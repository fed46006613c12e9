"""The input pictures of a request, put on the api."""

from backends.comfyui.builtin.graphs import Uploads
from backends.comfyui.jobs.api import JobApi
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from texts.text import _
from utils.images import BadImage, inspect
from utils.threads import run_in_thread


async def upload(api: JobApi, request: GenerationRequest, *, has_workflow: bool) -> Uploads:
    """Send source, mask, and what steers the drawing; a workflow has ControlNets of its own."""
    units = () if request.mode is Mode.UPSCALE or has_workflow else request.control
    control = [await api.upload(_bytes_of(unit.image, _("ControlNet picture"))) for unit in units]
    if request.mode is Mode.TXT2IMG:
        return Uploads(control=tuple(control))
    source = _bytes_of(request.init_image, _("picture to start from"))
    try:
        size = await run_in_thread(inspect, source.data)
    except BadImage as error:
        raise RequestRejected(str(error), field="image", hint=_("Send it as PNG or JPEG.")) from error
    init, mask = await api.upload(source), ""
    others = request.more_images if has_workflow else ()
    more = [await api.upload(_bytes_of(image, _("picture to start from"))) for image in others]
    if request.mode is Mode.INPAINT:
        mask = await api.upload(_bytes_of(request.mask_image, "mask"))
    sides = {"width": size.width, "height": size.height}
    return Uploads(init=init, mask=mask, more=tuple(more), control=tuple(control), **sides)


def _bytes_of(image: SourceImage | None, what: str) -> SourceImage:
    if image is None or not image.data:
        raise RequestRejected(_("The {what} is missing.", what=what), field="image", hint=_("Attach it again."))
    return image
