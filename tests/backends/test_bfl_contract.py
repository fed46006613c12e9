from typing import Any

from backends.bfl.backend import BflBackend
from tests.backends.queued_rig import QUICK, QueuedContract, config_of
from tests.engines.bfl_server import KEY, BflServer


def connect(server: BflServer, **changes: Any) -> BflBackend:
    return BflBackend(config_of(server, "bfl", "BFL", KEY, **changes), pace=QUICK)


class TestBfl(QueuedContract):
    stand_in = BflServer
    connect = staticmethod(connect)
    is_taken_back = False
