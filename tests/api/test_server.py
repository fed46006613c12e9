"""Listening."""

import socket

from api.sockets import bind


def test_connections_are_answered_without_nagles_delay():
    with bind("127.0.0.1", 0, is_chosen=True) as item:
        assert item.proto == socket.IPPROTO_TCP
