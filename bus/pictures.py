"""Pictures on the bus: as base64 where the server takes a message of that length, else as a link and an object."""

import base64
import logging
from typing import Any, Final

from bus.connection import BusDown, NatsConnection
from generation.result import StoredImage
from services.bus import BusServices
from services.pictures.media import MediaService, Upload
from texts.text import _, render
from utils.images import EXTENSIONS
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

ROOM_BYTES: Final = 32 * 1024  # for everything in a message besides the picture, and its headers


class BusPictures:
    """Packs a picture for a message."""

    def __init__(self, media: MediaService, own: BusServices) -> None:
        self._media = media
        self._own = own

    async def packed(self, connection: NatsConnection, image: StoredImage) -> dict[str, Any]:
        """Return the fields of a picture: `image_bytes_b64`, and where else it is.

        Raises:
            BusDown: the connection was lost while it was stored.
        """
        link = self._own.link(image.media_id)
        fields: dict[str, Any] = {"image_bytes_b64": None, "image_url": link, "object": None, "media_type": None}
        media = await self._media.get(image.media_id)
        if media is None:
            return fields | {"image_url": None, "error": render(_("This picture has expired.")), "code": "gone"}
        made = await self._media.converted(media, "PNG")
        fields["media_type"] = made.media_type
        if len(made.data) * 4 // 3 + ROOM_BYTES <= connection.most_bytes:
            text = await run_in_thread(base64.b64encode, made.data)
            return fields | {"image_bytes_b64": text.decode("ascii")}
        return fields | {"object": await self._stored(connection, image, made)}

    async def _stored(self, connection: NatsConnection, image: StoredImage, made: Upload) -> dict[str, Any] | None:
        """Put a picture that no message holds into the object store; None where the server has none."""
        name = f"{image.media_id}.{EXTENSIONS.get(made.media_type, 'png')}"
        try:
            bucket = await connection.put(name, made.data)
        except BusDown as error:
            if not connection.is_up:
                raise
            log.warning("the bus stores no pictures: %s", error, extra={"action": "bus_objects"})
            return None
        return {"bucket": bucket, "name": name, "size": len(made.data)}
