"""Addresses that people may send Easel to: the rules against server-side request forgery (SSRF).

Pure rules in `check_url`, `check_host` and `check_addresses`; only `resolve` touches the network (DNS).
Sources: WHATWG URL standard (numeric hosts), IANA special-purpose address registries, RFC 6598 (CGNAT),
RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), and the metadata addresses that the clouds document.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

import idna

from lazy import dataclass, pattern
from texts.text import _

MAX_URL_CHARS: Final = 2048
MAX_HOST_CHARS: Final = 253
RESOLVE_TIMEOUT_S: Final = 3.0

Address = IPv4Address | IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNSAFE = pattern(r"[\x00-\x20\x7f\\\"<>^`{|}]")
_PORT = pattern(r":([^\]:@]*)$")
_HOST = pattern(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = pattern(r"[0-9]+|0x[0-9a-f]*")
_PLAIN_HOST = pattern(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
_PRIVATE_SUFFIXES = (".local", ".lan", ".internal", ".localdomain", ".home.arpa", ".home", ".corp", ".intranet")

_NAT64 = ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_CGNAT = ip_network("100.64.0.0/10")
_OLD_RELAYS = ip_network("192.88.99.0/24")  # 6to4 relays, withdrawn by RFC 7526, yet `is_global` in Python
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data",
                             "instance-data.ec2.internal"})  # fmt: skip
_METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
_METADATA = _("a cloud metadata address")
_LINK_LOCAL = _("a link-local address")
_LOOPBACK = _("the machine this bot runs on")
_NEVER = frozenset({_METADATA, _LINK_LOCAL})  # no setting opens these: they hand out the host's own credentials

_PUBLIC_HINT = _(
    "Type the public https address of your server (a tunnel, or a rented machine's proxy address);"
    " the bot's owner can allow private ones with ALLOW_PRIVATE_BACKENDS."
)


class UrlRefused(ValueError):
    """An address that may not be used: `reason` says why, `hint` what to type instead."""

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason = reason
        self.hint = hint
        super().__init__(f"{reason} {hint}".strip())


@dataclass(frozen=True, kw_only=True)
class UrlPolicy:
    """The rules. `allowed_hosts`: `name`, `.suffix` (with the name itself) or `*.suffix`; empty = every host."""

    allow_private: bool = False
    allow_insecure_http: bool = False
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckedUrl:
    """A base URL that passed. `host` is canonical (lower case, punycode, plain address); no slash ends `text`."""

    scheme: str
    host: str
    port: int
    path: str
    text: str


def check_url(text: str, policy: UrlPolicy) -> CheckedUrl:
    """Check a base URL as typed by a person and bring it to its one form; no DNS.

    Raises:
        UrlRefused: with the reason and what would be right.
    """
    text = text.strip().removeprefix("<").removesuffix(">")  # Discord users write <https://...> to avoid a preview
    if not text:
        raise UrlRefused(_("The address is empty."), _("Type it like https://my-server.example:7860."))
    if len(text) > MAX_URL_CHARS:
        raise UrlRefused(_("The address is longer than {most} characters.", most=MAX_URL_CHARS))
    if _UNSAFE.search(text):
        raise UrlRefused(_("The address holds a space or a character that no address can have."), _("Copy it again."))
    scheme, netloc, path = _split(text)
    host_text, port = _split_port(netloc, _DEFAULT_PORTS[scheme])
    host = check_host(scheme, host_text, policy)
    path = _check_path(path)
    shown = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[scheme]:
        shown += f":{port}"
    return CheckedUrl(scheme=scheme, host=host, port=port, path=path, text=f"{scheme}://{shown}{path}")


def check_host(scheme: str, host: str, policy: UrlPolicy) -> str:
    """Check the name or address part (IPv6 without brackets); returns its canonical form.

    Raises:
        UrlRefused: see `check_url`.
    """
    host = _canonical(host)
    address = _address_of(host)
    if address is not None:
        host = str(address)
    _check_allow_list(host, policy.allowed_hosts)
    kind = _kind_of_name(host) if address is None else kind_of(address)
    _check_kind(_("That address is"), kind, policy)
    if scheme == "http" and not kind and not policy.allow_insecure_http:
        raise UrlRefused(
            _("Plain http to a public server would send your key and pictures unprotected."),
            _("Type its https:// address; the bot's owner can allow http with ALLOW_INSECURE_HTTP."),
        )
    return host


def check_addresses(host: str, addresses: Iterable[str], policy: UrlPolicy) -> tuple[str, ...]:
    """Check what DNS answered for `host`; one forbidden answer refuses them all (the next lookup may pick it).

    Raises:
        UrlRefused: an answer is forbidden, or there is none.
    """
    checked = tuple(addresses)
    if not checked:
        raise UrlRefused(_("That server name has no address."), _("Check the spelling."))
    for text in checked:
        _check_kind(_("That server name leads to"), kind_of(ip_address(text)), policy)
    return checked


async def resolve(host: str, port: int, *, timeout_s: float = RESOLVE_TIMEOUT_S) -> tuple[str, ...]:
    """Ask the system's resolver for every address of `host`, in its order.

    Raises:
        OSError: there is no such name, or DNS fails.
        TimeoutError: no answer within `timeout_s`.
    """
    async with asyncio.timeout(timeout_s):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *__, sockaddr in found))


def punycode(host: str) -> str:
    """Return a host as it is sent: browsers map letters as UTS 46 does.

    Raises:
        ValueError: no server can have this name.
    """
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")  # an IDNAError is a ValueError


def kind_of(address: Address) -> str:
    """Return what makes an address special, in words; empty for a public one. It looks into those that wrap an IPv4."""
    if address in _METADATA_ADDRESSES:
        return _METADATA
    if isinstance(address, IPv6Address) and (inner := _embedded(address)) is not None:
        return kind_of(inner) or ("" if _is_plain_wrapping(address) else _("a tunnel address"))
    if address.is_link_local:
        return _LINK_LOCAL
    if address.is_loopback or address.is_unspecified:  # 0.0.0.0 connects to this machine too
        return _LOOPBACK
    if address.is_multicast:
        return _("a multicast address")
    if address in _CGNAT:
        return _("a shared (carrier-grade NAT) address")
    if address.is_reserved or address in _OLD_RELAYS or address in _LOCAL_NAT64:
        return _("a reserved address")
    if not address.is_global or (isinstance(address, IPv6Address) and address.is_site_local):
        return _("a private network address")
    return ""


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def _is_plain_wrapping(address: IPv6Address) -> bool:
    """Mapped and NAT64 addresses are another spelling of the IPv4 one; IPv6-only networks need the latter."""
    return address.ipv4_mapped is not None or address in _NAT64


def _kind_of_name(host: str) -> str:
    if host in _METADATA_NAMES:
        return _METADATA
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    if "." not in host or host.endswith(_PRIVATE_SUFFIXES):
        return _("a name of a private network")
    return ""


def _check_kind(what: str, kind: str, policy: UrlPolicy) -> None:
    if kind in _NEVER:
        raise UrlRefused(
            _("{what} {kind}, which is never allowed.", what=what, kind=kind), _PUBLIC_HINT.partition(";")[0] + "."
        )
    if kind and not policy.allow_private:
        raise UrlRefused(_("{what} {kind}, which is not allowed here.", what=what, kind=kind), _PUBLIC_HINT)


def _check_allow_list(host: str, allowed: tuple[str, ...]) -> None:
    if not allowed:
        return
    for host_allowed in (entry.strip().lower() for entry in allowed):
        if host_allowed.startswith("*.") and host.endswith(host_allowed[1:]):
            return
        if host_allowed.startswith(".") and (host.endswith(host_allowed) or host == host_allowed[1:]):
            return
        if host == host_allowed:
            return
    raise UrlRefused(
        _("That server is not on this bot's list of allowed hosts."),
        _("Allowed: {allowed}.", allowed=", ".join(allowed)),
    )


def _split(text: str) -> tuple[str, str, str]:
    if "://" not in text:
        example = text if _PLAIN_HOST.fullmatch(text) else "my-server.example:7860"
        raise UrlRefused(
            _("The address does not say http:// or https://."),
            _("Type https://{example_value}.", example_value=example.rstrip("/")),
        )
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UrlRefused(
            _("The address cannot be read."), _("An IPv6 address goes in brackets: https://[2a01::1].")
        ) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise UrlRefused(
            _("{scheme}:// is not supported.", scheme=parts.scheme), _("Type an address that starts with https://.")
        )
    if "@" in parts.netloc:
        raise UrlRefused(
            _("The address holds a user name or password."), _("Leave it out and give it as the key instead.")
        )
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise UrlRefused(_("The address has a ? or # in it."), _("Leave out everything from there on."))
    return parts.scheme, parts.netloc, parts.path


def _split_port(netloc: str, default: int) -> tuple[str, int]:
    match = _PORT.search(netloc)
    host = netloc[: match.start()] if match else netloc
    digits = match[1] if match else ""
    if host.startswith("["):
        if not host.endswith("]"):
            raise UrlRefused(
                _("The address cannot be read."), _("An IPv6 address goes in brackets: https://[2a01::1].")
            )
        host = host[1:-1]
        if ":" not in host:
            raise UrlRefused(_("Only an IPv6 address goes in brackets."), _("Leave the brackets out."))
    elif ":" in host:
        raise UrlRefused(
            _("The address has more than one colon."), _("An IPv6 address goes in brackets: https://[2a01::1].")
        )
    if not digits:
        return host, default
    if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:9]) <= 65535:
        raise UrlRefused(_("The port is not a number from 1 to 65535."), _("A1111 and Forge use 7860."))
    return host, int(digits)


def _check_path(path: str) -> str:
    path = path.rstrip("/")
    decoded = unquote(path)
    if "//" in path or "\\" in decoded or any(part in {".", ".."} for part in decoded.split("/")):
        raise UrlRefused(_("The path of the address holds //, . or .."), _("Type the server's plain address."))
    if not path.isascii():
        raise UrlRefused(_("The path of the address holds letters that must be percent-encoded."), _("Copy it again."))
    return path


def _canonical(host: str) -> str:
    """Lower case, punycode, no dot at the end. UTS 46 turns look-alike digits and dots into plain ones first."""
    refused = UrlRefused(_("The server name is not a valid one."), _("Type it like https://my-server.example:7860."))
    host = host.lower()
    if ":" in host:
        return host
    if len(host) > MAX_HOST_CHARS and not host.isascii():
        raise refused
    try:
        host = punycode(host).removesuffix(".")
    except ValueError as error:
        raise refused from error
    if len(host) > MAX_HOST_CHARS or not _HOST.fullmatch(host):
        raise refused
    return host


def _address_of(host: str) -> Address | None:
    """Read any spelling of an address: IPv6, or IPv4 in 1 to 4 decimal, octal or hexadecimal parts (inet_aton)."""
    refused = UrlRefused(_("The number in the address is not a valid IP address."), _("Type it like 203.0.113.7."))
    if ":" in host:
        try:
            return ip_address(host)
        except ValueError as error:
            raise refused from error
    parts = host.split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError as error:
        raise refused from error
    room = 256 ** (5 - len(numbers)) if len(numbers) <= 4 else 0
    if numbers[-1] >= room or any(number > 255 for number in numbers[:-1]):
        raise refused
    return IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(numbers[:-1])) + numbers[-1])


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)
