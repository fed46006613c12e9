"""The address of a server, and what it may lead to."""

from dataclasses import field

from lazy import dataclass
from utils.urls import UrlPolicy


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server that we speak to."""

    url: str = ""  # its paths are added to this
    timeout_s: float = 300.0  # between two signs of life
    policy: UrlPolicy = field(default_factory=UrlPolicy)
    is_trusted: bool = False  # set by the owner, who may go anywhere: no check, and proxies of the environment are used
