"""Easel behind its HTTP door at a port, and the official client of MCP; skipped without it (requirements-mcp.txt)."""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from api.server import WebServer
from api.sockets import bind
from tests.api.conftest import site_at


@asynccontextmanager
async def served(folder, **environ: str) -> Any:
    """Serve Easel at a free port; return the site and the address of its MCP door."""
    pytest.importorskip("mcp", reason="needs requirements-mcp.txt: make test-mcp")
    async with site_at(folder, **environ) as site:
        listening = bind("127.0.0.1", 0, is_chosen=True)
        port = listening.getsockname()[1]
        server = WebServer(site.app, [listening])
        site.easel.address = f"http://127.0.0.1:{port}"
        await server.start()
        try:
            yield site, f"http://127.0.0.1:{port}/mcp"
        finally:
            await server.stop()


@asynccontextmanager
async def assistant_at(url: str, key: str = "", **options: Any) -> Any:
    """Connect the official client, with a key where one is given."""
    import httpx2
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), **options) as client,
    ):
        yield client
