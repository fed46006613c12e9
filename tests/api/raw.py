"""A server on a real socket, and connections to it that send what they like."""

import asyncio
from contextlib import asynccontextmanager

from api.connections import ConnectionLimits
from api.server import WebServer
from api.sockets import bind

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope, receive, send):
    """Answers at once; at /slow when `release` is set; at /large with much."""
    if scope["path"] == "/slow":
        await scope["app_release"].wait()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def served(answering=app, **limits):
    """Serve an app; yields the server and a function that opens a connection."""
    listening = bind("127.0.0.1", 0, is_chosen=True)
    server = WebServer(answering, [listening], ConnectionLimits(**limits))
    await server.start()
    writers = []

    async def connect(source="127.0.0.1"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0], local_addr=(source, 0))
        writers.append(writer)
        return reader, writer

    try:
        yield server, connect
    finally:
        for writer in writers:
            writer.close()
        await server.stop()


async def status_of(reader):
    async with asyncio.timeout(10):
        line = await reader.readline()
    return int(line.split()[1]) if line else None
