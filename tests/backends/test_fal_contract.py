from typing import Any

from backends.fal.backend import FalBackend
from tests.backends.queued_rig import QUICK, QueuedContract, config_of
from tests.engines.fal_server import KEY, FalServer


def connect(server: FalServer, **changes: Any) -> FalBackend:
    return FalBackend(config_of(server, "fal", "FAL", KEY, **changes), pace=QUICK)


class TestFal(QueuedContract):
    stand_in = FalServer
    connect = staticmethod(connect)
