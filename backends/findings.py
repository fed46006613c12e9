"""Failures of a connection test, layer by layer: one sentence of what it is and one of what to do.

Sources: the codes of OpenSSL's certificate errors, and what the owners of engines get wrong (`--api`, the firewall).
"""

import ssl
from ipaddress import ip_address
from typing import Literal

from backends.kind import EngineKind, Product
from backends.kinds import kind_of, known_kinds
from texts.text import _
from utils.urls import CheckedUrl

Layer = Literal["address", "dns", "connect", "tls", "http", "auth", "api", "product"]


class Failed(Exception):
    """The test ends here. Neither text holds an address or a key."""

    def __init__(self, layer: Layer, message: str, hint: str, product: str = "", other_kind: str = "") -> None:
        super().__init__(message)
        self.layer = layer
        self.message = message
        self.hint = hint
        self.product = product
        self.other_kind = other_kind  # of what answers there, where it can be connected as that


def is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def of_connect(failure: OSError, url: CheckedUrl, kind: EngineKind) -> Failed:
    is_here = url.host == "localhost" or (is_literal(url.host) and ip_address(url.host).is_loopback)
    if isinstance(failure, ConnectionRefusedError):
        where = _("Nothing listens on port {port}", port=url.port)
        if is_here:
            return Failed(
                "connect", _("{where} of this machine: is it running?", where=where), _("Start it, and check its port.")
            )
        return Failed(
            "connect",
            _("{where} there: is it running, and on that port?", where=where),
            kind.start_hint,
        )
    if isinstance(failure, TimeoutError):
        return Failed(
            "connect",
            _("No answer at all: a firewall is in the way, or the machine is off."),
            _("Open port {port} in its firewall or on the rental page, and start it with --listen.", port=url.port),
        )
    return Failed(
        "connect", _("There is no way to that machine from here."), _("Check the address, and that it is on.")
    )


def of_tls(error: BaseException) -> Failed:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in {18, 19}:  # X509_V_ERR_*SELF_SIGNED*
            return Failed(
                "tls", _("Its certificate is self-signed."), _("Use a tunnel or proxy with a real certificate.")
            )
        if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            return Failed("tls", _("Its certificate has expired."), _("Renew the server's certificate."))
        if error.verify_code in {62, 64}:  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
            return Failed("tls", _("Its certificate is for another name."), _("Type the name the certificate is for."))
        return Failed("tls", _("Its certificate is not trusted."), _("Use a tunnel or proxy with a real certificate."))
    if isinstance(error, TimeoutError):
        return Failed("tls", _("The encrypted connection was not answered."), _("Test again; or try http://."))
    return Failed(
        "tls",
        _("The server does not speak https on this port."),
        _("Type the address with http://, or use a tunnel that adds https."),
    )


def of_auth(status: int, kind: EngineKind, *, has_key: bool, is_page: bool) -> Failed:
    if is_page and status == 403:
        return Failed(
            "auth", _("A proxy in front of the server refuses the connection (403)."), _("Allow this bot in the proxy.")
        )
    given = _("refuses the key") if has_key else _("wants a key")
    return Failed("auth", _("The server {given} ({status}).", given=given, status=status), kind.key_hint)


def no_api(title: str, hint: str) -> Failed:
    return Failed("api", _("{title} answers, but the API is off: --api is missing.", title=title), hint, product=title)


def other_product(product: Product, wanted: str) -> Failed:
    usual = [
        _("{title} usually uses {port}", title=kind.title, port=kind.port) for kind in known_kinds() if kind.local_ports
    ]
    hint = _("Check the address and its port: {usual}.", usual=", ".join(usual))
    kind = kind_of(product.kind)
    if kind:
        hint = _("Connect it as {word} instead.", word=kind.word)
    elif product.kind:
        hint = _("This version of Easel cannot draw with it. {hint}", hint=hint)
    return Failed(
        "product",
        _("{title} answers there, not {wanted}.", title=product.title, wanted=wanted),
        hint,
        product=product.title,
        other_kind=kind.word if kind and kind.is_connectable else "",
    )
