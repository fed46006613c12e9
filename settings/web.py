"""The studio and the HTTP API: where they listen, by which names, and for whom."""

from contextlib import suppress
from typing import ClassVar, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from constants import DEFAULT_PORT
from settings.fields import Group, Names, Networks, Url, address, names_of, number, secret, switch, text
from texts.text import _
from utils.urls import punycode

LOOPBACK_NETWORKS: Final = ("127.0.0.0/8", "::1", "::ffff:127.0.0.0/104")
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class WebSettings(Group):
    title: ClassVar[str] = _("Studio and API")
    live: ClassVar[frozenset[str]] = frozenset(
        {"compat_base64", "connections", "connections_per_address", "replicate_webhook_secret", "image_cdn_url"}
    )

    is_on: bool = switch(True, _("Serve the studio and the HTTP API"), variable="WEB")
    port: int = number(
        DEFAULT_PORT,
        _("Port of the studio and the API; if it is taken and not set here, the next free one"),
        low=0,
        high=65535,
    )
    host: str = text(
        "127.0.0.1",
        _("Address to listen on; 0.0.0.0 lets other machines in, with a key or signed in"),
        _("an address of this machine"),
        variable="WEB_HOST",
    )
    compat_ports: bool = switch(False, _("Also listen on ports 3003 and 8005, for programs written for those"))
    compat_base64: bool = switch(False, _("GET /jobs/ID returns plain base64, for clients that expect that"))
    public_url: Url = address(_("Public address of the studio"), _("an address like https://easel.example.org"))
    more_names: Names = names_of(
        _("More host names this server answers to"), _("host names, like easel.lan"), variable="WEB_HOSTS"
    )
    trusted_proxies: Networks = names_of(
        _("Proxies that may say who calls (X-Forwarded-For); empty: with PUBLIC_URL those on this machine"),
        _("addresses or networks, like 10.0.0.5,172.16.0.0/12"),
    )
    origins: Names = names_of(
        _("Websites that may call the API with a key"),
        _("addresses, like https://app.example.org"),
        variable="WEB_ORIGINS",
    )
    connections: int = number(
        1000,
        _("Maximum connections at once; beyond that, the longest idle are closed"),
        variable="WEB_CONNECTIONS",
        low=16,
        high=50_000,
    )
    connections_per_address: int = number(
        200,
        _("Maximum connections per address; does not hold for this machine and TRUSTED_PROXIES"),
        variable="WEB_CONNECTIONS_PER_ADDRESS",
        low=4,
        high=50_000,
    )
    replicate_webhook_secret: SecretStr = secret(
        _("Secret that checks Replicate's webhooks to /webhooks/replicate; empty: they are refused"),
        _("whsec_ and base64"),
    )
    mcp: bool = switch(True, _("Let assistants in at /mcp, where its packages are installed (docs/mcp.md)"))
    image_cdn_url: Url = address(
        _("Prefix for picture URLs in API answers (your CDN); empty: this server"),
        _("an address like https://cdn.example"),
    )

    @property
    def is_port_chosen(self) -> bool:
        """Return whether the owner has set the port, so that no other will do."""
        return "port" in self.model_fields_set

    @property
    def is_open(self) -> bool:
        """Return whether this machine itself needs no key: never behind a proxy, where all come from there."""
        return urlsplit(self.public_url).hostname in (None, *LOOPBACK_NAMES) and not self.trusted_proxies

    @property
    def takes_addresses(self) -> bool:
        """Return whether it listens beyond this machine, so that bare addresses are its names, too."""
        return self.host not in LOOPBACK_NAMES

    @property
    def proxies(self) -> tuple[str, ...]:
        """Whose word on their callers counts; where an address for the outside is set, this machine's own, too."""
        return self.trusted_proxies or (() if self.is_open else LOOPBACK_NETWORKS)

    @property
    def host_names(self) -> frozenset[str]:
        names = set(self.more_names)
        if own := urlsplit(self.public_url).hostname:
            with suppress(ValueError):  # no server can have such a name
                names.add(punycode(own))
        return frozenset(names)
