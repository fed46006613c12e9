"""The message bus, where one is wanted: its door, and the server for it that Easel starts itself."""

from importlib.util import find_spec

from app.build import Easel
from services.bus import BusServices
from services.reports.bus_outbox import BusOutbox
from settings.bus import BusSettings
from settings.reading.problems import Problem, SettingsError
from store.bus import BusStore
from texts.text import _


def check_bus(settings: BusSettings) -> None:
    """Refuse a bus whose packages are not installed: whoever sets it relies on it.

    Raises:
        SettingsError: names what to do.
    """
    if settings.is_on and find_spec("nats") is None:
        allowed = _("left out, or the packages of the message bus added: make run BUS=1 (requirements-bus.txt)")
        given = ",".join(settings.urls) or settings.mode
        raise SettingsError(Problem(name=settings.variable, value=given, allowed=allowed))


async def open_bus(easel: Easel) -> None:
    """Listen on the bus, if there is one; its loops end with all others. Before the queue starts."""
    settings = easel.settings.bus
    outbox = BusOutbox(BusStore(easel.database), easel.jobs)
    await outbox.want(settings.is_on)
    if not settings.is_on:
        return
    check_bus(settings)
    from bus.door import BusDoor  # only here: nothing of it is loaded where there is no bus
    from bus.server import LocalServer  # as above

    if settings.is_local:
        server = LocalServer(settings, easel.settings.storage.data_dir, easel.clock)
        easel.services.loops.start("nats_server", server.run)
    own = BusServices(access=easel.web.access, outbox=outbox, address=easel.studio_address, state=easel.web.bus)
    easel.web.bus.untold = outbox.waiting
    BusDoor(easel.services, own, settings).start()
