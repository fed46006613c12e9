"""A line with a round trip and a bandwidth in front of an engine, as to a rented one; a process of its own.

`python -m bench.shaped_line --to 7860 --port 7861 --rtt 0.08 --mbit 50`. Each direction has its own bandwidth, shared
by all connections; the first bytes of a connection wait for its handshake. Nothing is lost, and there is no slow start.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from bench.world import free_port, process

PIECE = 16 * 1024
UNDER_WAY = 64  # pieces of a connection that are sent and not there yet: 1 MB, as a socket's buffer


class Direction:
    """One direction of the line: it takes its time for each piece, and as long again until it is there."""

    def __init__(self, delay_s: float, bytes_per_s: float) -> None:
        self.delay_s = delay_s
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def send(self, size: int) -> float:
        """Return when a piece that is sent now is out of the sender's hands (monotonic seconds)."""
        self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_per_s
        return self._free_at


class Line:
    """Passes connections on to a port of this machine."""

    def __init__(self, port: int, rtt_s: float, mbit: float) -> None:
        self._port = port
        self._rtt_s = rtt_s
        self._there = Direction(rtt_s / 2, mbit * 1e6 / 8)
        self._back = Direction(rtt_s / 2, mbit * 1e6 / 8)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, into = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, into, self._there, self._rtt_s))
                group.create_task(_pass(there, writer, self._back, 0.0))
        except* OSError:
            pass  # one end hung up
        finally:
            writer.close()
            into.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction, wait_s: float) -> None:
    arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(UNDER_WAY)

    async def deliver() -> None:
        while (item := await arriving.get())[1]:
            await asyncio.sleep(max(0.0, item[0] - time.monotonic()))
            writer.write(item[1])
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    delivery = asyncio.create_task(deliver())
    try:
        await asyncio.sleep(wait_s)
        while piece := await reader.read(PIECE):
            out_at = way.send(len(piece))
            await arriving.put((out_at + way.delay_s, piece))
            await asyncio.sleep(max(0.0, out_at - time.monotonic()))
        await arriving.put((0.0, b""))
        await delivery
    finally:
        delivery.cancel()


@contextlib.asynccontextmanager
async def shaped(url: str, rtt_s: float, mbit: float) -> AsyncIterator[str]:
    """Put a line in front of an engine of this machine; yields the address at its other end."""
    port = free_port()
    values = {"--to": url.rsplit(":", 1)[1], "--port": port, "--rtt": rtt_s, "--mbit": mbit}
    async with process("bench.shaped_line", *(str(item) for pair in values.items() for item in pair), says_json=True):
        yield f"http://127.0.0.1:{port}"


async def _serve(arguments: argparse.Namespace) -> None:
    line = Line(arguments.to, arguments.rtt, arguments.mbit)
    async with await asyncio.start_server(line.serve, "127.0.0.1", arguments.port) as server:
        print("{}", flush=True)
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=int, required=True, help="port of the engine")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rtt", type=float, default=0.08, help="seconds")
    parser.add_argument("--mbit", type=float, default=50.0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
