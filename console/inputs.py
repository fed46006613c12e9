"""Pictures that are drawn from, read from files of this machine."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from generation.options import as_checked
from generation.request import Draft, SourceImage
from generation.several_pictures import MAX_INPUT_PICTURES
from services.pictures.media import MediaService
from services.pictures.pictures import left_of
from texts.text import _


async def with_files(draft: Draft, files: Sequence[Path], media: MediaService) -> tuple[Draft, tuple[str, ...]]:
    """Return a draft that is drawn from these files, in order, and remarks on what of them is not used.

    Raises:
        RequestRejected: one cannot be read, is no picture or too large; or there are too many.
    """
    if len(files) > MAX_INPUT_PICTURES:
        raise RequestRejected(
            _(
                "{count} pictures were named; the maximum is {most}.",
                count=len(files),
                most=MAX_INPUT_PICTURES,
            ),
            field="image",
        )
    taken: list[SourceImage] = []
    notes: list[str] = []
    for file in files:
        data = await asyncio.to_thread(_read, file)
        taken.append(replace(await media.take_input(data), name=file.name))
        notes += await left_of(data)
    if not taken:
        return draft, ()
    drawn_from = replace(draft, init_image=taken[0], more_images=tuple(taken[1:]))
    return as_checked(drawn_from, draft), tuple(dict.fromkeys(notes))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_INPUT_IMAGE_BYTES + 1)
    except OSError as error:
        raise RequestRejected(
            _("The picture {file} cannot be read: {strerror}.", file=file, strerror=error.strerror),
            field="image",
            hint=_("For example: --image fox.png"),
        ) from error
