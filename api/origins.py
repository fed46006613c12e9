"""Which page a browser sends a request from: the studio's own, or another site's.

Browsers add the session's cookie, and reach this machine as its own user does, for every page that they show. So
nothing but a key lets another site's page in.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

OWN_SITE: Final = ("same-origin", "none")  # "none": typed into the address bar, or no page at all


def is_own_page(headers: Headers, public_url: str) -> bool:
    """Return whether the studio's own page asks, or no page at all: programs send neither header."""
    if headers.get("sec-fetch-site", "none") not in OWN_SITE:
        return False
    origin = headers.get("origin", "")
    if not origin:
        return True
    if origin == "null":  # a sandboxed frame, a file, a redirect: nobody knows whose
        return False
    public = urlsplit(public_url)
    return origin == f"{public.scheme}://{public.netloc}" or urlsplit(origin).netloc == headers.get("host")
