"""A picture and what of it may change, made ready for inpainting: for every door the same rules."""

from generation.errors import RequestRejected
from generation.request import SourceImage
from lazy import dataclass
from services.pictures.media import MediaService
from texts.text import _
from utils import masks
from utils.images import BadImage, clean_input
from utils.masks import HINT, Masked
from utils.threads import run_in_thread


@dataclass(frozen=True, kw_only=True)
class MaskedSource:
    """Both pictures as the engines take them. `notes` say what was changed about them."""

    image: SourceImage
    mask: SourceImage
    notes: tuple[str, ...] = ()


async def take_masked(media: MediaService, image: bytes, mask: bytes | None) -> MaskedSource:
    """Store a picture and its mask; without one, what is transparent in the picture is redrawn.

    Raises:
        RequestRejected: one of them is no picture, they do not go together, or there is no mask at all.
    """
    try:
        masked = await run_in_thread(_pair, image, mask)
    except BadImage as error:
        raise RequestRejected(str(error), field="mask_image", hint=HINT) from error
    if masked is None:
        raise RequestRejected(
            _("There is no mask, and nothing in the picture is transparent."),
            field="mask_image",
            hint=_("{hint} Or erase that part of the picture and save it as PNG.", hint=HINT),
        )
    return MaskedSource(
        image=await media.keep_input(masked.image), mask=await media.keep_input(masked.mask), notes=masked.notes
    )


def _pair(image: bytes, mask: bytes | None) -> Masked | None:
    cleaned = clean_input(image, exact=True)
    return masks.mask_by_alpha(cleaned) if mask is None else masks.mask_by_picture(cleaned, clean_input(mask))
