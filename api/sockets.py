"""The ports of the HTTP door. Loads no web framework, so that a taken port is known before one is imported."""

import errno
import socket
from typing import Final

from settings.web import WebSettings
from texts.text import _
from utils.ports import CHOOSE_ANOTHER, PortInUse

BACKLOG: Final = 128
NEXT_PORTS: Final = 20  # tried after the usual one, when that is taken and was not asked for by name
COMPAT_PORTS: Final = (3003, 8005)  # where programs written for the systems Easel unites look for them
NO_COMPAT: Final = _("set COMPAT_PORTS=false in .env to do without it")


def bind_all(settings: WebSettings) -> list[socket.socket]:
    """Listen on the main port, the first of the list, and on those of other systems.

    Raises:
        PortInUse: another program has a port that must be ours.
        OSError: the address is not one of this machine.
    """
    sockets = []
    try:
        sockets.append(bind(settings.host, settings.port, is_chosen=settings.is_port_chosen))
        for port in COMPAT_PORTS if settings.compat_ports else ():
            if port != settings.port:
                sockets.append(bind(settings.host, port, is_chosen=True, otherwise=NO_COMPAT))
    except BaseException:
        for item in sockets:
            item.close()
        raise
    return sockets


def bind(host: str, port: int, *, is_chosen: bool, otherwise: str = "") -> socket.socket:
    """Listen on a port; where nobody chose it and it is taken, on the next free one.

    Args:
        host: an address of this machine.
        port: 0 is any free one.
        is_chosen: no other will do.
        otherwise: what its owner may do about it, besides stopping whoever has it; the usual if empty.

    Raises:
        PortInUse: it was chosen and is taken, or all are.
        OSError: the address is not one of this machine.
    """
    for number in [port] if is_chosen or port == 0 else range(port, port + NEXT_PORTS):
        try:
            return _listen(host, number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise PortInUse(port, otherwise or CHOOSE_ANOTHER)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named: only then asyncio switches off Nagle's delay, which costs 40 ms an answer
    item = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # on Windows it would let two programs share the port
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        item.bind((host, port))
        item.listen(BACKLOG)
        item.setblocking(False)
    except OSError:
        item.close()
        raise
    return item
