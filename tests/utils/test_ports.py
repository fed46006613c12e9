"""The holder of a port."""

import os
import socket
import sys
from pathlib import Path

import pytest

from utils.ports import PortInUse, holder_of


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_process_that_listens_is_named():
    with socket.socket() as item:
        item.bind(("127.0.0.1", 0))
        item.listen()
        assert holder_of(item.getsockname()[1]).endswith(f", process {os.getpid()}")


def test_where_it_cannot_be_told_nothing_is_said(tmp_path: Path):
    assert holder_of(1, tmp_path) == ""


def test_the_way_out_fits_the_setting_that_asked_for_the_port():
    assert str(PortInUse(1)).endswith("Stop that, or set PORT in .env to another one.")
    assert str(PortInUse(1, "set COMPAT_PORTS=false in .env")).endswith("Stop that, or set COMPAT_PORTS=false in .env.")
