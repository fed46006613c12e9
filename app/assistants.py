"""The MCP door, where its packages are installed: behind /mcp of the web door, or over stdio."""

import asyncio
import importlib
from importlib.util import find_spec
from typing import Any

from app.build import Easel, build
from config import Settings
from generation.person import Person
from services.assistants import AssistantServices
from services.people.access import LOCAL_USER, SCOPES
from settings.reading.problems import Problem, SettingsError
from texts.text import _

OWNER = Person(user_key=f"api:{LOCAL_USER}", name="You", scopes=frozenset(SCOPES), how="local")


class Assistants:
    """An ASGI application that loads the rest when the first assistant comes: it takes half a second and 30 MB."""

    def __init__(self, easel: Easel) -> None:
        self._easel = easel
        self._inner: Any = None
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self._turn:
            if self._inner is None:
                module = await asyncio.to_thread(importlib.import_module, "assistants.web")
                self._inner = module.AssistantWeb(self._easel.services, own_services(self._easel))
                self._easel.services.loops.start("mcp", self._inner.run)
        await self._inner.handle(scope, receive, send)


def own_services(easel: Easel) -> AssistantServices:
    web = easel.web
    return AssistantServices(access=web.access, fetcher=web.fetcher, uploads=web.uploads, address=easel.studio_address)


def make_assistants(easel: Easel) -> Assistants | None:
    """Return what answers at /mcp; None where it is off, or its packages are missing."""
    return Assistants(easel) if easel.settings.web.mcp and find_spec("mcp") else None


async def run_stdio(settings: Settings) -> int:
    """Serve one assistant over stdin and stdout, until it closes them.

    Raises:
        SettingsError: the packages are not installed.
    """
    if find_spec("mcp") is None:
        allowed = _("used with its packages: make run MCP=1 (requirements-mcp.txt)")
        raise SettingsError(Problem(name="mcp", value="stdio", allowed=allowed))
    from assistants.stdio import serve_stdio  # only here: an extra (requirements-mcp.in)

    easel = await build(settings)
    try:
        await easel.start()
        await serve_stdio(easel.services, own_services(easel), OWNER)
    finally:
        await easel.queue.stop()
        await easel.close()
    return 0
