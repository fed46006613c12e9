"""Run the local Discord by itself: `python -m tests.discord_server --port 0` prints its address and token."""

from __future__ import annotations

import argparse
import asyncio
import json

from tests.discord_server.server import DiscordServer


async def serve(port: int, *, rate_limits: bool) -> None:
    async with DiscordServer(port=port, rate_limits=rate_limits) as server:
        about = {"url": server.url, "api_url": server.api_url, "token": server.token}
        print(json.dumps(about | {"guild": str(server.guild.id), "channel": str(server.channel.id)}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--rate-limits", action="store_true", help="enforce Discord's rate limits")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, rate_limits=arguments.rate_limits))
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
