"""Waiting for what no event tells, such as the store's own thread, which no fake clock moves."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

PAUSE_S = 0.003


async def until(is_so: Callable[[], Any], limit_s: float = 10.0) -> None:
    """Wait until something has come about; what `is_so` returns is awaited where it can be.

    Raises:
        TimeoutError: it has not within `limit_s` seconds.
    """
    async with asyncio.timeout(limit_s):
        while not (await reply if isawaitable(reply := is_so()) else reply):
            await asyncio.sleep(PAUSE_S)
