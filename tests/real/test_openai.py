"""OpenAI's own client against our dialect, and our backend against a server made of that client's types."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.base import BackendConfig
from backends.openai_images.backend import OpenAIImagesBackend
from backends.registry import Entry
from generation.errors import BackendAuthError
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from tests.fakes import FakeBackend
from tests.paid import PaidBackend
from tests.real.clients import run, running
from tests.studio.server import studio_at
from tests.utils.pictures import noise

pytestmark = pytest.mark.timeout(300)
PNG = "89504e47"
KEY = "sk-test-0123456789"


async def ignore(_: Progress) -> None:
    """Take no notice of progress."""


def request(**changes: Any) -> GenerationRequest:
    values = {"prompt": "a fox", "width": 1024, "height": 1024, "steps": 4, "cfg_scale": 3.5, "seed": 812}
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


async def test_the_official_client_draws_here(tmp_path: Path) -> None:
    async with studio_at(tmp_path, USER_DAILY_BUDGET_USD="0.07") as studio:
        for name, backend in {"shop": PaidBackend("shop"), "gpu1": FakeBackend("gpu1")}.items():
            studio.easel.registry.add(Entry(config=BackendConfig(name=name, kind="fake"), backend=backend))
            await studio.easel.registry.refresh(name)
        __, token = await studio.easel.web.access.create_key("test", ("read", "generate"))
        got = json.loads(await run("openai_calls.py", f"{studio.url}v1", token))
    assert {"gpu1", "shop"} <= set(got["models"])
    assert got["generate"] == [PNG, PNG]
    assert got["url"].startswith(studio.url)
    assert (got["their_model"], got["edit"], got["variation"]) == (PNG, PNG, PNG)
    assert got["model"] == ["NotFoundError", 404, "model_not_found"]
    assert got["prompt"][:2] == ["BadRequestError", 400]
    assert got["price"] == ["APIStatusError", 402, "price_not_agreed"]
    assert got["budget"] == ["RateLimitError", 429, "insufficient_quota"]
    assert got["key"] == ["AuthenticationError", 401, "invalid_api_key"]


async def test_our_backend_draws_at_a_server_of_the_official_types() -> None:
    async with running("openai_door.py") as url:
        options = {"dialect": "openai", "pause": "0"}
        config = BackendConfig(name="openai", kind="openai_images", label="OpenAI", url=url, key=KEY, options=options)
        backend = OpenAIImagesBackend(config)
        can = await backend.capabilities()
        assert [model.name for model in can.models or ()][:1] == ["gpt-image-2.6-flare"]
        drawn = await backend.generate(request(batch_size=2), ignore)
        assert [Image.open(io.BytesIO(image.data)).size for image in drawn.images] == [(1024, 1024)] * 2
        assert drawn.cost_usd > 0
        source = SourceImage.of(noise((64, 64)))
        changed = await backend.generate(request(mode=Mode.IMG2IMG, init_image=source), ignore)
        assert len(changed.images) == 1
        await backend.aclose()
        stranger = OpenAIImagesBackend(BackendConfig(**{**vars(config), "key": "sk-wrong"}))
        with pytest.raises(BackendAuthError):
            await stranger.capabilities()
        await stranger.aclose()
