from typing import Any

from backends.base import AnnouncedBackend
from backends.replicate.backend import ReplicateBackend
from tests.backends.queued_rig import QUICK, QueuedContract, config_of
from tests.engines.replicate_server import KEY, ReplicateServer
from utils.clock import Clock


def connect(server: ReplicateServer, clock: Clock | None = None, **changes: Any) -> ReplicateBackend:
    return ReplicateBackend(config_of(server, "replicate", "Replicate", KEY, **changes), clock=clock, pace=QUICK)


class TestReplicate(QueuedContract):
    stand_in = ReplicateServer
    connect = staticmethod(connect)


async def test_its_webhooks_are_taken() -> None:
    async with ReplicateServer() as server:
        backend = connect(server)
        assert isinstance(backend, AnnouncedBackend)
        await backend.aclose()
