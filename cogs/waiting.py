"""An answer to a prefix command within a second, however long the work takes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from nextcord.ext import commands

from cogs.cards import Card
from cogs.error_handler import error_text
from cogs.posting import ASKING, reply_to
from cogs.wire.styles import edit_of, new_message

SOON_S = 0.8  # an answer that takes longer is announced


async def answer(ctx: commands.Context[Any], work: Coroutine[Any, Any, Card]) -> None:
    """Reply with what `work` returns; if that takes longer than a moment, say so first and edit it then."""
    asked = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({asked}, timeout=SOON_S)
    if done:
        await reply_to(ctx, **new_message(await asked))
        return
    announced = await reply_to(ctx, content=ASKING)
    try:
        card = await asked
    except Exception as error:
        card = Card(content=error_text(error))
    await announced.edit(**edit_of(card))
