"""The page a browser sends a request from: the studio's own, or another site's.

Browsers add the session's cookie, and reach this machine as its own user does, for every page that they show. So
nothing but a key lets another site's page in. What a page's script says of itself counts for nothing: a browser alone
writes `Origin` and `Sec-Fetch-Site` (`docs/decisions/028-no-csrf-tokens.md`).
"""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from lazy import dataclass, pattern
from utils.urls import punycode

OWN_SITE: Final = ("same-origin", "none")  # "none": typed into the address bar, or no page at all
PORTS: Final = {"http": 80, "https": 443}
_ORIGIN: Final = pattern(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class PageOrigin:
    """The origin of a page, as browsers compare it."""

    scheme: str
    host: str
    port: int


def is_own_page(headers: Headers, *, scheme: str, public_url: str) -> bool:
    """Return whether the studio's own page asks, or no page at all: programs send neither header.

    `scheme` is how the request came, or how a trusted proxy had it.
    """
    if any(len(headers.getlist(name)) > 1 for name in ("origin", "sec-fetch-site")):
        return False  # no browser sends two
    if headers.get("sec-fetch-site", "none") not in OWN_SITE:
        return False
    origin = headers.get("origin", "")
    return not origin or _is_own(origin, headers.get("host", ""), scheme, origin_at(public_url))


def is_from_a_browser(headers: Headers) -> bool:
    """Return whether a browser says which page asks: each does with a change, also to its own server."""
    return bool(headers.get("origin")) or headers.get("sec-fetch-site") == "same-origin"


@lru_cache(maxsize=32)
def origin_at(url: str) -> PageOrigin | None:
    """Return the origin of the pages at an address; None where there is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            return None
        port = PORTS[parts.scheme] if parts.port is None else parts.port
        return PageOrigin(scheme=parts.scheme, host=punycode(parts.hostname), port=port)
    except ValueError:
        return None


def _is_own(sent: str, host: str, scheme: str, public: PageOrigin | None) -> bool:
    page = origin_at(sent) if _ORIGIN.fullmatch(sent) else None  # "null": a sandboxed frame, a file, a redirect
    if page is None:
        return False
    if page == public:
        return True
    if public and (page.host, public.scheme, page.scheme) == (public.host, "https", "http"):
        return False  # whoever is on the way may have written a page of that name without TLS
    is_as_safe = page.scheme == "https" or scheme != "https"
    return is_as_safe and page == origin_at(f"{page.scheme}://{host}")
