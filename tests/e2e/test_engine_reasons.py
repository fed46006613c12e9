"""An engine's reason for a failure reaches people as one line, and nothing is drawn again that fails again."""

from __future__ import annotations

import pytest

from tests.backends import test_a1111_contract, test_gradio_flux_contract
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, labels
from tests.engines.a1111_engine import Failed
from tests.engines.a1111_server import A1111Server
from tests.engines.gradio_app import GradioApp

UNIPC = "UniPC order must be < sampling steps"


async def test_forges_own_reason_is_shown_and_the_picture_is_not_drawn_again(start: StartEasel) -> None:
    async with A1111Server("forge") as server:
        server.engine.fail_with = Failed("AssertionError", UNIPC)
        easel = await start(test_a1111_contract.connect(server))
        answer = await easel.answer_to(await easel.say("!dream a red fox --steps 1 --size 256x256"))
        await easel.finished(answer)
        assert f"says: {UNIPC}." in answer.content
        assert "again" not in answer.content.replace("fail again", "")
        assert "--steps or --sampler" in answer.content
        assert "Run again" not in str(labels(answer))
        assert len(server.submitted) == 1
        error = (await easel.job(job_id(answer))).error
        assert error is not None
        assert UNIPC in error.user_message


@pytest.mark.parametrize("major", [4, 6])
async def test_a_plain_exception_of_an_app_is_drawn_once_more_at_most(start: StartEasel, major: int) -> None:
    async with GradioApp(major) as app:
        app.engine.fail_with, app.engine.fails_always = ValueError("hidden"), True
        easel = await start(test_gradio_flux_contract.connect(app))
        answer = await easel.answer_to(await easel.say("!dream a red fox"))
        await easel.finished(answer)
        assert "does not say why" in answer.content
        assert len(app.engine.submitted) <= 2
