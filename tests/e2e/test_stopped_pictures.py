"""A picture stopped in the engine's own page is shown as what it is, and never comes from the cache."""

from __future__ import annotations

import httpx

from tests.backends import test_a1111_contract
from tests.e2e.conftest import StartEasel
from tests.engines.a1111_server import A1111Server
from tests.waiting import until

ASK = "!dream a red fox --seed 812 --steps 20 --size 256x256"


async def test_an_interrupted_picture_is_drawn_anew_when_its_seed_is_asked_for_again(start: StartEasel) -> None:
    async with A1111Server("forge") as server:
        easel = await start(test_a1111_contract.connect(server))
        server.engine.hold()
        answer = await easel.answer_to(await easel.say(ASK))
        await until(lambda: server.engine.job is not None)
        async with httpx.AsyncClient(base_url=server.url) as page:
            await page.post("/sdapi/v1/interrupt")
        await easel.finished(answer)
        assert "stopped early at the engine" in answer.content
        server.engine.release()
        whole = await easel.answer_to(await easel.say(ASK))
        await easel.finished(whole)
        assert "from the cache" not in whole.content
        assert "stopped early" not in whole.content
        assert len(server.submitted) == 2
        cached = await easel.answer_to(await easel.say(ASK))
        await easel.finished(cached)
        assert "from the cache" in cached.content
        assert len(server.submitted) == 2
