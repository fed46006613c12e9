"""The HTTP door as `main` opens it: builds the application from the services, listens, and closes in order."""

import logging
from dataclasses import dataclass
from typing import Final

from api.alerts import alert_out
from api.app import create_app
from api.connections import ConnectionLimits
from api.context import LOOPBACK_NETWORKS, Web, WebOptions
from api.events import Hub
from api.server import WebServer, bind
from api.views import JobViews
from services.bundle import Services
from services.reports.alerts import Alert
from services.web import WebServices

log = logging.getLogger(__name__)

COMPAT_PORTS: Final = (3003, 8005)  # where programs written for the systems Easel unites look for them
NO_COMPAT: Final = "set COMPAT_PORTS=false in .env to do without it"
PRIVATE_LINK_S: Final = 24 * 3600.0
STREAMS: Final = 0.8  # of all connections: who only listens leaves room for who asks


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Where to listen. `is_chosen`: the port was set by its owner, so no other will do."""

    host: str
    port: int
    is_chosen: bool
    compat: bool = False
    connections: int = ConnectionLimits.total
    connections_per_address: int = ConnectionLimits.per_address


class WebDoor:
    """Open it once, close it once."""

    def __init__(self, services: Services, own: WebServices, options: WebOptions) -> None:
        generation, access, clock = services.generation, own.access, services.clock
        views = JobViews(
            label_of=generation.label, sign=lambda subject: access.sign(subject, PRIVATE_LINK_S), now=clock.now
        )
        self._hub = Hub(generation, clock, views)
        self.web = Web(services=services, own=own, options=options, hub=self._hub)
        services.records.alerts.on_alert.append(self._tell_admins)
        self._unlisten = generation.listen(self._hub.job_changed, self._hub.job_progressed)
        self._server: WebServer | None = None

    async def _tell_admins(self, alert: Alert) -> None:
        self._hub.tell("alert", alert_out(alert).model_dump(mode="json"), only_admins=True)

    async def open(self, listen: Listen) -> list[str]:
        """Listen; return the addresses, the main one first.

        Raises:
            PortInUse: another program has a port that must be ours.
            OSError: the address is not one of this machine.
        """
        for job in await self.web.services.generation.active():  # taken up from the last process
            self._hub.job_changed(job)
        more = [port for port in COMPAT_PORTS if listen.compat and port != listen.port]
        sockets = []
        try:
            sockets.append(bind(listen.host, listen.port, is_chosen=listen.is_chosen))
            for port in more:
                sockets.append(bind(listen.host, port, is_chosen=True, otherwise=NO_COMPAT))
        except BaseException:
            for one in sockets:
                one.close()
            raise
        limits = ConnectionLimits(
            total=listen.connections,
            per_address=listen.connections_per_address,
            shared=(*LOOPBACK_NETWORKS, *self.web.options.proxies),  # everybody behind a proxy comes from its address
        )
        loops = self.web.services.loops
        self._server = WebServer(create_app(self.web), sockets, limits, loops)
        self._hub.most_readers = max(1, int(self._server.connections.limits.total * STREAMS))
        loops.start("events", self._hub.run)
        await self._server.start()
        name = "127.0.0.1" if listen.host in ("0.0.0.0", "::") else listen.host  # noqa: S104  # compared, not bound
        name = f"[{name}]" if ":" in name else name
        return [f"http://{name}:{port}/" for port in self._server.ports]

    async def close(self) -> None:
        """End the event streams, finish what is being sent, close the ports."""
        self._unlisten()
        self.web.services.records.alerts.on_alert.remove(self._tell_admins)
        self._hub.close()
        if self._server:
            await self._server.stop()
        await self.web.services.loops.cancel("events")
