"""A key typed into Discord reaches no log, however much is logged."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.waiting import until
from utils.logger import setup_logging

KEY = "mia:s3cr3t-p4ss"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is written at LOG_LEVEL=DEBUG."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    levels = {name: item.level for name, item in root.manager.loggerDict.items() if isinstance(item, logging.Logger)}
    setup_logging("DEBUG", "text", (), stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@pytest.mark.filterwarnings("ignore::UserWarning")
async def test_a_key_is_not_even_logged_at_debug(discord: DiscordServer, start: StartEasel, log: io.StringIO) -> None:
    easel = await start()
    mia = discord.user("mia")
    url = "http://127.0.0.1:1"
    result = await mia.slash(discord.channel, "sdconnect", type="a1111", url=url, key=KEY)
    await discord.wait_for(lambda: result.followups or (result.message and result.message.content))
    await easel.answer_to(await easel.say(f"!sdconnect a1111 {url} {KEY}"))
    await until(lambda: "ready as easel" in log.getvalue())
    assert KEY not in log.getvalue()
