"""What every route works with: the services, who may come in, and the addresses this server answers to."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from api.drafts import Drafts
from api.events import Hub
from services.bundle import Services
from services.people.access import AccessService
from services.pictures.fetching import PictureFetcher
from services.web import WebServices

LOOPBACK_NETWORKS: Final = ("127.0.0.0/8", "::1", "::ffff:127.0.0.0/104")
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """The settings of the HTTP door.

    `public_url` is where people reach it from outside ("" = only on this machine); `hosts` are further names it
    answers to; `origins` are pages of other sites that may call it with a key. `is_open` lets whoever sits at this
    machine in without a key: never behind a proxy, through which everybody comes from this machine.
    """

    public_url: str = ""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    is_open: bool = True
    trusted_proxies: tuple[str, ...] = ()  # their addresses and networks
    media_ttl_s: float
    job_timeout_s: float
    sign_in_url: str = ""  # where people sign in with Discord; "" = not set up
    image_cdn_url: str = ""  # in front of the addresses of pictures that programs get; "" = this server's own
    bare_base64: bool = False  # GET /jobs/ID gives pictures without the head of a data: URL
    replicate_webhook_secret: str = field(default="", repr=False)
    takes_addresses: bool = False  # listens beyond this machine: bare addresses are its names, too

    @property
    def proxies(self) -> tuple[str, ...]:
        """Whose word on their callers counts; where an address for the outside is set, this machine's own, too."""
        return self.trusted_proxies or (() if self.is_open else LOOPBACK_NETWORKS)

    @property
    def host_names(self) -> frozenset[str]:
        own = urlsplit(self.public_url).hostname
        return frozenset({*self.hosts, *([own] if own else [])})


@dataclass(frozen=True, kw_only=True)
class Web:
    """All of it; `app.state.web` holds the one value."""

    services: Services
    own: WebServices
    options: WebOptions
    hub: Hub = field(repr=False)
    drafts: Drafts = field(default_factory=Drafts, repr=False)

    @property
    def access(self) -> AccessService:
        return self.own.access

    @property
    def fetcher(self) -> PictureFetcher:
        return self.own.fetcher

    def base_url(self, connection: HTTPConnection) -> str:
        """Where this caller reaches us, without a slash at the end: for absolute links."""
        return self.options.public_url or str(connection.base_url).rstrip("/")


def web_of(connection: HTTPConnection) -> Web:
    web: Web = connection.app.state.web
    return web
