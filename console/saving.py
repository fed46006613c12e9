"""Files of the console: the names that work, and each picture in the kind of file that its name promises."""

import os
from pathlib import Path
from typing import Final

from generation.errors import RequestRejected
from lazy import dataclass
from services.pictures.media import Media, MediaService, Upload
from texts.text import _
from utils.secrets import make_private_folder
from utils.threads import run_in_thread
from utils.video import inspect_file

PICTURE_KINDS: Final = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".gif": "GIF"}
VIDEO_KINDS: Final = {".mp4": "MP4", ".webm": "WEBM"}  # kept under these names, never made out of pictures
KINDS: Final = PICTURE_KINDS | VIDEO_KINDS


@dataclass(frozen=True, kw_only=True)
class Target:
    """The place where pictures go: a file's name, a folder, or "" for what `default` makes up."""

    output: Path | None
    folder: Path  # for pictures that were given no name

    @property
    def kind(self) -> str:
        """The kind of file that was asked for by name; "" is whatever the engine makes."""
        if self.output is None or self.output.is_dir():
            return ""
        return KINDS.get(self.output.suffix.casefold(), "")

    def check(self) -> None:
        """Make sure, before anything is drawn, that a picture can be saved by this name.

        Raises:
            RequestRejected: it ends like no picture's, or nothing can be written there.
        """
        if self.output is None:
            return
        self._check_place(self.output)
        if self.output.is_dir() or not self.output.suffix or self.kind:
            return
        ends = _("{most} and {last}", most=", ".join([*PICTURE_KINDS][:-1]), last=[*PICTURE_KINDS][-1])
        raise RequestRejected(
            _(
                "A picture cannot be saved as {name}: {suffix} is not a kind that Easel writes.",
                name=self.output.name,
                suffix=self.output.suffix,
            ),
            field="output",
            hint=_("Names that end in {ends} work, and names without an ending.", ends=ends),
        )

    def _check_place(self, output: Path) -> None:
        place = next(part for part in (output, *output.absolute().parents) if part.exists())
        if place != output and not place.is_dir():
            why = _("is not a folder")
        elif not os.access(place, os.W_OK):
            why = _("cannot be written to")
        else:
            return
        raise RequestRejected(
            _("The picture cannot be saved as {output}: {place} {why}.", output=output, place=place, why=why),
            field="output",
            hint=_("Name another place with -o, or leave it out."),
        )

    def path(self, name: str, number: int | None) -> Path:
        """Return the name asked for, with the ending of `name` where it has another; or a made-up one that is free."""
        ending = Path(name).suffix
        if self.output is None or self.output.is_dir():
            made_up = (self.output or self.folder) / name
            path, tries = made_up, 2
            while path.exists():
                path = path.with_stem(f"{made_up.stem}-{tries}")
                tries += 1
            return path
        is_so = KINDS.get(self.output.suffix.casefold()) == KINDS.get(ending, "?")
        path = self.output if is_so else self.output.with_suffix(ending)
        return path.with_stem(f"{path.stem}-{number}") if number else path


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """A picture as it is written; `note` says why it is of another kind than was asked for."""

    file: Upload
    note: str = ""


async def picture_file(service: MediaService, media: Media, kind: str) -> PictureFile:
    """Return a picture as a file of this kind, with its parameters where such files have a place for them."""
    as_it_is = Upload(data=media.data, media_type=media.media_type)
    if not kind:
        return PictureFile(file=as_it_is)
    info = await run_in_thread(inspect_file, media.data)
    if info.is_animated:
        is_so = kind == KINDS.get(f".{as_it_is.extension}")
        return PictureFile(
            file=as_it_is,
            note="" if is_so else _("it moves, so it stays a .{extension} file", extension=as_it_is.extension),
        )
    if kind in VIDEO_KINDS.values():
        return PictureFile(
            file=as_it_is, note=_("it is not a video, so it stays a .{extension} file", extension=as_it_is.extension)
        )
    try:
        return PictureFile(file=await service.converted(media, kind))
    except RequestRejected as error:
        return PictureFile(
            file=as_it_is,
            note=_("it stays a .{extension} file: {reason}", extension=as_it_is.extension, reason=error.user_message),
        )


def write(path: Path, data: bytes) -> None:
    make_private_folder(path.parent)
    path.write_bytes(data)
