"""Services that the MCP door has besides the services of every door."""

from collections.abc import Callable
from typing import Final

from lazy import dataclass
from services.people.access import AccessService
from services.people.uploads import UploadQuota
from services.pictures.fetching import PictureFetcher

LINK_S: Final = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class AssistantServices:
    """Links, what pictures may be brought, and the address of the studio, where it is open."""

    access: AccessService
    fetcher: PictureFetcher
    uploads: UploadQuota
    address: Callable[[], str]  # without a slash at the end; empty: the studio is not served

    def link(self, media_id: str) -> str | None:
        """Return an address that shows a picture to whoever has it, for a day; None without a studio."""
        address = self.address()
        return f"{address}/api/media/{media_id}?t={self.access.sign(f'media:{media_id}', LINK_S)}" if address else None
