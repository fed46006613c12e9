"""The context of every route: the services, who may come in, and the addresses this server answers to."""

from dataclasses import field
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from api.drafts import Drafts
from api.events import Hub
from lazy import dataclass
from services.bundle import Services
from services.people.access import AccessService
from services.pictures.fetching import PictureFetcher
from services.web import WebServices
from settings.web import WebSettings

LOGIN_PATH: Final = "/auth/login"


@dataclass(frozen=True, kw_only=True)
class Web:
    """All of it; `app.state.web` holds the one value."""

    services: Services
    own: WebServices
    settings: WebSettings
    job_timeout_s: float
    hub: Hub = field(repr=False)
    mcp: ASGIApp | None = field(default=None, repr=False)  # what assistants speak to, where there is that
    drafts: Drafts = field(default_factory=Drafts, repr=False)

    @property
    def sign_in_url(self) -> str:
        """Return where people sign in with Discord; empty: not set up."""
        return LOGIN_PATH if self.own.sign_in.is_available else ""

    @property
    def access(self) -> AccessService:
        return self.own.access

    @property
    def fetcher(self) -> PictureFetcher:
        return self.own.fetcher

    def base_url(self, connection: HTTPConnection) -> str:
        """Return where this caller reaches us, without a slash at the end: for absolute links."""
        return self.settings.public_url or str(connection.base_url).rstrip("/")


def web_of(connection: HTTPConnection) -> Web:
    web: Web = connection.app.state.web
    return web
