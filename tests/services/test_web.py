"""Services of the HTTP door, built from settings as a bot builds it: a real job reaches a real receiver."""

import asyncio
import hmac
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from app.build import build
from config import read_settings
from generation.errors import RequestRejected
from generation.job import Origin
from generation.request import Draft

SECRET = "s3cret"


@asynccontextmanager
async def easel_at(folder: Path, **environ: str):
    reply = {"DATA_DIR": str(folder), "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0"}
    easel = await build(read_settings(folder / "none.env", reply | environ))
    await easel.start()
    try:
        yield easel
    finally:
        await easel.queue.stop()
        await easel.close()


@asynccontextmanager
async def receiver():
    """A server on this machine that puts what it gets into a queue."""
    got: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await got.put((dict(request.headers), await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", got
    await runner.cleanup()


async def test_the_owners_hook_hears_of_a_job_drawn_here(tmp_path):
    async with receiver() as (url, got), easel_at(tmp_path, WEBHOOK_URL=url, WEBHOOK_SECRET=SECRET) as easel:
        draft = Draft(prompt="a red fox", width=64, height=64)
        view = await easel.services.generation.submit(draft, Origin(door="api", user_id="1"))
        async with asyncio.timeout(10):
            reported = [await got.get(), await got.get()]
    assert {headers["X-Easel-Event"] for headers, _ in reported} == {"queued", "finished"}
    for headers, body in reported:
        stamp, _, signature = headers["X-Easel-Signature"].removeprefix("t=").partition(",v1=")
        assert signature == hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
        assert json.loads(body)["job"]["id"] == view.job.id


async def test_members_admins_and_addresses_follow_the_settings(tmp_path):
    reply = {"DISCORD_GUILD_IDS": "5", "WEB_ADMINS": "7", "DISCORD_CLIENT_ID": "1", "DISCORD_CLIENT_SECRET": "x"}
    async with easel_at(tmp_path, **reply) as easel:
        assert easel.web.sign_in.is_available
        person, _ = await easel.web.access.open_session("discord:7", "Owner")
        assert person.is_admin
        with pytest.raises(RequestRejected, match="refused"):
            easel.web.webhooks.wanted("https://127.0.0.1/hook")
    async with easel_at(tmp_path, ALLOW_PRIVATE_BACKENDS="true") as easel:
        easel.web.webhooks.wanted("http://127.0.0.1/hook")
        assert not easel.web.sign_in.is_available


@pytest.mark.parametrize(("web", "bot", "asked"), [("8", "5", {"8"}), ("", "5", {"5"}), ("", "", set())])
async def test_whose_members_may_come_in_follows_the_settings(tmp_path, web, bot, asked):
    reply = {
        "WEB_ALLOWED_GUILDS": web,
        "DISCORD_GUILD_IDS": bot,
        "DISCORD_CLIENT_ID": "1",
        "DISCORD_CLIENT_SECRET": "x",
    }
    async with easel_at(tmp_path, **reply) as easel:
        assert easel.web.sign_in._settings.guild_ids == asked
