"""The HTTP door as `main` opens it: builds the application from the services, listens, and closes in order."""

import logging
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.types import ASGIApp

from api.alerts import alert_out
from api.app import create_app
from api.connections import ConnectionLimits
from api.context import Web
from api.events import Hub
from api.server import WebServer
from api.views import JobViews
from services.bundle import Services
from services.reports.alerts import Alert
from services.web import WebServices
from settings.web import LOOPBACK_NETWORKS, WebSettings

log = logging.getLogger(__name__)

PRIVATE_LINK_S: Final = 24 * 3600.0
STREAMS: Final = 0.8  # of all connections: who only listens leaves room for who asks


class WebDoor:
    """Open it once, close it once."""

    def __init__(
        self,
        services: Services,
        own: WebServices,
        settings: WebSettings,
        *,
        job_timeout_s: float,
        mcp: ASGIApp | None = None,
    ) -> None:
        generation, access, clock = services.generation, own.access, services.clock
        views = JobViews(
            label_of=generation.label, sign=lambda subject: access.sign(subject, PRIVATE_LINK_S), now=clock.now
        )
        self._hub = Hub(generation, clock, views)
        self.web = Web(
            services=services, own=own, settings=settings, job_timeout_s=job_timeout_s, hub=self._hub, mcp=mcp
        )
        services.records.alerts.on_alert.append(self._tell_admins)
        self._unlisten = generation.listen(self._hub.job_changed, self._hub.job_progressed)
        self._server: WebServer | None = None

    async def _tell_admins(self, alert: Alert) -> None:
        self._hub.tell("alert", alert_out(alert).model_dump(mode="json"), only_admins=True)

    async def open(self, sockets: Sequence[socket.socket]) -> list[str]:
        """Answer on ports that are bound already; return the addresses, the main one first."""
        settings = self.web.settings
        for job in self.web.services.generation.running():  # taken up from the last process
            self._hub.job_changed(job)
        limits = ConnectionLimits(
            total=settings.connections,
            per_address=settings.connections_per_address,
            shared=(*LOOPBACK_NETWORKS, *settings.proxies),  # everybody behind a proxy comes from its address
        )
        loops = self.web.services.loops
        self._server = WebServer(create_app(self.web), sockets, limits, loops)
        self._hub.most_readers = max(1, int(self._server.connections.limits.total * STREAMS))
        loops.start("events", self._hub.run)
        await self._server.start()
        name = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # compared, not bound
        name = f"[{name}]" if ":" in name else name
        return [f"http://{name}:{port}/" for port in self._server.ports]

    def use(self, settings: WebSettings) -> None:
        """Answer by these settings from now on; where it listens and by which names stays."""
        self.web = replace(self.web, settings=settings)
        if self._server:
            self._server.use(self.web, total=settings.connections, per_address=settings.connections_per_address)

    async def close(self) -> None:
        """End the event streams, finish what is being sent, close the ports."""
        self._unlisten()
        self.web.services.records.alerts.on_alert.remove(self._tell_admins)
        self._hub.close()
        if self._server:
            await self._server.stop()
        await self.web.services.loops.cancel("events")
