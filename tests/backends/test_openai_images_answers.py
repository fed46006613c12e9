"""The words that servers are told and the meaning of their answers, by the documents and the stand-ins."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.openai_images.answers import Drawn, ModelList, Usage
from backends.openai_images.dialects.known import DIALECTS, OPENAI
from backends.openai_images.facts import dialect_at, dialect_of, facts_of
from backends.openai_images.kind import read_models
from backends.openai_images.payload import ratio_for, size_for
from backends.prices import price_for, prices_of
from generation.errors import (
    BackendError,
    ContentBlocked,
)
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from tests.backends.test_openai_images_contract import connect
from tests.engines.openai_server import MODELS, OpenAIServer
from tests.jobs import make_request

DATA = Path(__file__).parents[1] / "data" / "openai_images"


async def ignore(_: Progress) -> None:
    pass


def example(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{name}.json").read_text()))


def png(width: int = 1024, height: int = 1024) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return out.getvalue()


def source() -> SourceImage:
    return SourceImage.of(png(), 1024, 1024)


async def drawn_by(server: OpenAIServer, request: GenerationRequest, **changes: Any) -> GenerationResult:
    backend = connect(server, **changes)
    try:
        return await backend.generate(request, ignore)
    finally:
        await backend.aclose()


def asked(**changes: Any) -> GenerationRequest:
    return make_request(**({"width": 1024, "height": 1024, "sampler": None, "seed": 812} | changes))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_server_is_told_by_its_list_of_models_or_its_address(name: str) -> None:
    listed = ModelList.model_validate({"data": MODELS[name]}).data
    dialect = dialect_at(DIALECTS[name].hosts[0]) if DIALECTS[name].hosts else dialect_of(listed)
    assert dialect is not None
    assert dialect.name == name


@pytest.mark.parametrize(("name", "dialect"), [("sdcpp_models", "sdcpp"), ("localai_models", "localai")])
def test_written_lists_of_models_are_known(name: str, dialect: str) -> None:
    body = (DATA / f"{name}.json").read_bytes()
    assert dialect_of(ModelList.model_validate_json(body).data).name == dialect
    assert read_models(body) is not None


def test_a_server_that_only_talks_is_no_engine_that_was_found() -> None:
    talking = {"object": "list", "data": [{"id": "qwen3-vl:8b", "object": "model", "owned_by": "library"}]}
    assert read_models(json.dumps(talking).encode()) is None
    assert read_models(b'{"data": [1, null]}') is None
    assert read_models(b"[]") is None


def test_written_answers_give_their_picture_and_what_they_took() -> None:
    price = price_for(prices_of("backends.openai_images"), "gpt-image-2.6-flare")
    answer = Drawn.model_validate(example("generate_ok_gpt_image")["response"]["body"])
    assert answer.data[0].given.startswith("iVBOR")
    assert answer.usage
    assert answer.usage.usd(price) == pytest.approx((12 * 5 + 196 * 30) / 1e6)
    legacy = Drawn.model_validate(example("generate_ok_legacy_url")["response"]["body"])
    assert (legacy.data[0].revised_prompt or "").startswith("A fluffy cat")
    for name in ("sdcpp_generate", "localai_generate"):
        assert Drawn.model_validate(example(name)).data[0].given


def test_a_price_that_an_answer_gives_is_the_price() -> None:
    assert Usage(cost=0.04).usd(None) == 0.04
    assert Usage(cost_in_usd_ticks=500_000_000).usd(None) == 0.05
    assert Usage(output_tokens=10).usd(None) is None


def test_every_price_has_its_date_and_source() -> None:
    prices = prices_of("backends.openai_images")
    assert all(re.fullmatch(r"2026-\d\d-\d\d", price.as_of) and price.source for price in prices.values())
    assert price_for(prices, "gpt-image-1-mini") is prices["gpt-image-1-mini"]
    assert price_for(prices, "gpt-5.5") is None


def test_models_are_those_that_draw_with_the_day_they_end() -> None:
    facts = facts_of("OpenAI", OPENAI, ModelList.model_validate({"data": MODELS["openai"]}).data, "", "")
    assert "gpt-5.5" not in facts.models
    assert (facts.model, facts.edit_model) == ("gpt-image-2.6-flare", "gpt-image-2.6-sunburst")
    assert facts.ends == {"gpt-image-1.5": "2026-12-01"}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("dall-e-3", "shut the model dall-e-3 down on 2026-05-12"), ("nonsense", "has no model nonsense")],
)
async def test_a_model_that_is_set_and_gone_is_explained_when_it_is_tested(wanted: str, words: str) -> None:
    async with OpenAIServer() as server:
        backend = connect(server, options={"model": wanted})
        with pytest.raises(BackendError) as caught:
            await backend.capabilities()
        assert words in caught.value.user_message
        assert "gpt-image-2.6-flare" in caught.value.hint
        await backend.aclose()


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((1024, 1024), (1024, 1024)), ((512, 512), (816, 816)), ((256, 1024), (480, 1392)), ((3840, 3840), (2880, 2880))],
)
def test_a_size_is_bent_into_what_openai_draws(size: tuple[int, int], drawn: tuple[int, int]) -> None:
    notes: list[str] = []
    found = size_for(asked(width=size[0], height=size[1]), OPENAI, "gpt-image-2", notes.append)
    assert 655_360 <= found[0] * found[1] <= 8_294_400
    assert (found[0] % 16, found[1] % 16) == (0, 0)
    assert 1 / 3 <= found[0] / found[1] <= 3
    assert found[0] / found[1] == pytest.approx(drawn[0] / drawn[1], rel=0.05)
    assert bool(notes) == (found != size)


def test_older_models_get_the_nearest_of_their_three_sizes() -> None:
    assert size_for(asked(width=1200, height=700), OPENAI, "gpt-image-1.5", lambda note: None) == (1536, 1024)
    assert ratio_for((1920, 1080), ("1:1", "16:9", "4:3")) == "16:9"


async def test_openai_is_told_nothing_that_it_does_not_document() -> None:
    async with OpenAIServer() as server:
        result = await drawn_by(server, asked(negative_prompt="rain", steps=30, cfg_scale=9.0, batch_size=2))
        (body,) = server.submitted
        assert body == {
            "model": "gpt-image-2.6-flare", "prompt": "a red fox\nAvoid: rain.", "n": 2, "size": "1024x1024",
            "quality": "medium", "output_format": "png",
        }  # fmt: skip
        assert result.cost_usd == pytest.approx((12 * 5 + 2 * 196 * 30) / 1e6)


@pytest.mark.parametrize(
    ("dialect", "reported"),
    [
        ("localai", {"seed": 812, "step": 20, "prompt": "a red fox|rain", "response_format": "b64_json"}),
        ("lemonade", {"seed": 812, "steps": 20, "cfg_scale": 7.0, "n": 1}),
        ("vllm", {"seed": 812, "num_inference_steps": 20, "guidance_scale": 7.0, "negative_prompt": "rain"}),
        ("together", {"seed": 812, "steps": 20, "width": 1024, "height": 512, "response_format": "base64"}),
        ("xai", {"aspect_ratio": "2:1", "resolution": "1k", "quality": "medium"}),
        ("classic", {"prompt": "a red fox\nAvoid: rain.", "size": "1024x512"}),
    ],
)
async def test_each_server_is_told_in_its_own_words(dialect: str, reported: dict[str, Any]) -> None:
    async with OpenAIServer(dialect) as server:
        await drawn_by(server, asked(height=512, negative_prompt="rain", steps=20, cfg_scale=7.0))
        body = server.submitted[0]
        assert {name: body.get(name) for name in reported} == reported


async def test_stable_diffusion_cpp_reads_the_rest_in_the_prompt() -> None:
    async with OpenAIServer("sdcpp") as server:
        await drawn_by(server, asked(negative_prompt="rain", steps=9, cfg_scale=3.0))
        prompt = server.submitted[0]["prompt"]
        match = re.fullmatch(r"a red fox <sd_cpp_extra_args>(.*)</sd_cpp_extra_args>", prompt)
        assert match
        assert json.loads(match[1]) == {
            "seed": 812,
            "sample_params": {"sample_steps": 9, "guidance": {"txt_cfg": 3.0}},
            "negative_prompt": "rain",
        }


async def test_a_server_that_draws_one_at_a_time_is_asked_as_often_as_needed() -> None:
    async with OpenAIServer("lemonade") as server:
        result = await drawn_by(server, asked(batch_size=3))
        assert [body["n"] for body in server.submitted] == [1, 1, 1]
        assert [body["seed"] for body in server.submitted] == [812, 813, 814]
        assert [image.seed for image in result.images] == [812, 813, 814]


async def test_what_is_drawn_is_kept_where_a_later_request_fails() -> None:
    async with OpenAIServer("lemonade") as server:
        server.plans += ["draw", "fault"]
        result = await drawn_by(server, asked(batch_size=3))
        assert (len(result.images), result.is_complete, len(server.jobs)) == (1, False, 2)
        assert any("failed" in note for note in result.notes)


@pytest.mark.parametrize("dialect", ["openai", "sdcpp", "lemonade", "vllm", "classic"])
async def test_a_picture_is_worked_on_as_a_form(dialect: str) -> None:
    async with OpenAIServer(dialect) as server:
        request = asked(mode=Mode.IMG2IMG, init_image=source(), denoising_strength=0.5)
        result = await drawn_by(server, request)
        assert len(result.images) == 1
        assert [*server.jobs[0].files] == ["image" if dialect in {"lemonade", "vllm"} else "image[]"]
        if dialect == "openai":
            assert server.submitted[0]["model"] == "gpt-image-2.6-sunburst"


async def test_openrouter_gets_pictures_as_references_and_only_what_the_model_takes() -> None:
    async with OpenAIServer("openrouter") as server:
        request = asked(mode=Mode.IMG2IMG, init_image=source(), model="black-forest-labs/flux.2-klein", batch_size=2)
        result = await drawn_by(server, request)
        body = server.submitted[0]
        assert body["input_references"][0]["image_url"]["url"].startswith("data:image/png;base64,")
        assert body.keys() == {"model", "prompt", "n", "aspect_ratio", "seed", "input_references"}
        assert len(server.submitted) == 2  # it does not say that it draws several at once
        assert result.cost_usd == pytest.approx(0.028)


async def test_localai_gets_the_picture_inside() -> None:
    async with OpenAIServer("localai") as server:
        await drawn_by(server, asked(mode=Mode.IMG2IMG, init_image=source()))
        assert base64.b64decode(server.submitted[0]["file"]) == png()


async def test_pictures_by_address_are_fetched_without_the_key() -> None:
    async with OpenAIServer("classic", key="sk-own") as server:
        server.plans.append("url")
        assert len((await drawn_by(server, asked())).images) == 1


async def test_what_the_server_made_of_the_words_is_kept() -> None:
    async with OpenAIServer("classic") as server:
        server.plans.append("revised")
        assert (await drawn_by(server, asked())).revised_prompt == "A detailed picture of a red fox"


async def test_previews_come_while_it_is_drawn_and_the_end_counts() -> None:
    async with OpenAIServer() as server:
        seen: list[Progress] = []

        async def report(progress: Progress) -> None:
            seen.append(progress)

        backend = connect(server, options={"partial_images": "2"})
        assert (await backend.capabilities()).supports_preview
        result = await backend.generate(asked(batch_size=2), report)
        await backend.aclose()
        assert [body["n"] for body in server.submitted] == [1, 1]
        assert sum(progress.preview is not None for progress in seen) == 4
        assert len(result.images) == 2
        assert result.cost_usd == pytest.approx(2 * (12 * 5 + 196 * 30) / 1e6)


@pytest.mark.parametrize(("plan", "kind"), [("moderated", ContentBlocked), ("fault", BackendError)])
async def test_an_error_inside_a_stream_is_the_same_error(plan: str, kind: type[Exception]) -> None:
    async with OpenAIServer() as server:
        server.plans.append(plan)
        with pytest.raises(kind):
            await drawn_by(server, asked(), options={"partial_images": "1"})


async def test_the_price_stands_before_the_click() -> None:
    async with OpenAIServer() as server:
        backend = connect(server)
        await backend.capabilities()
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.106)
        assert await backend.quote(asked(width=2048, height=2048)) == pytest.approx(4 * 0.053)
        assert {line.name for line in backend.prices()} == {"gpt-image-1.5", "gpt-image-2", "gpt-image-2.6"}
        await backend.aclose()
    async with OpenAIServer("openrouter") as server:
        backend = connect(server)
        await backend.capabilities()
        klein = asked(model="black-forest-labs/flux.2-klein", width=1000, height=1000)
        assert await backend.quote(klein) == pytest.approx(0.014)
        assert await backend.quote(asked(model="openai/gpt-image-2.6-flare")) is None  # by tokens: not known before
        await backend.aclose()


async def test_openai_is_asked_once_a_second_and_its_organization_is_named() -> None:
    async with OpenAIServer() as server:
        backend = connect(server, options={"pause": "", "organization": "org-1"})
        await backend.capabilities()
        assert backend._window is not None
        assert [rate.seconds for rate in backend._window._rates] == [1.0]
        assert server.requests[0][2]["OpenAI-Organization"] == "org-1"
        await backend.aclose()


def test_the_table_of_servers_is_as_the_page_has_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "backends" / "openai_images.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.count("|") == 8]
    reported = {row[0]: row[1:] for row in rows[2:]}
    titles = {dialect.title: dialect for dialect in DIALECTS.values()} | {"any other (`classic`)": DIALECTS["classic"]}
    assert reported.keys() == titles.keys() - {"an OpenAI-compatible server"}
    for title, (__, numbers, negative, picture, mask, at_once) in reported.items():
        dialect = titles[title]
        assert (negative == "yes") is (dialect.negative != "avoid"), title
        assert (picture != "no") is bool(dialect.edits), title
        assert not picture.startswith("up to") or int(picture.split()[-1]) == dialect.max_images, title
        assert (mask == "yes") is bool(dialect.mask), title
        assert at_once in {str(dialect.max_n), "one after the other", "as the model says"}, title
        assert ("all" in numbers or "steps" in numbers) is ("steps" in dialect.fields), title
        assert ("all" in numbers or "seed" in numbers) is dialect.takes_seed, title


async def test_what_a_picture_cost_that_nobody_can_price_is_said_to_be_unknown() -> None:
    models = [{"id": "somebody/new-image", "object": "model", "owned_by": "x"}]
    async with OpenAIServer("together", models=models) as server:
        result = await drawn_by(server, asked())
    assert (result.cost_usd, result.notes) == (0.0, ("what it cost is not known",))


async def test_something_else_at_the_address_is_called_so() -> None:
    async with OpenAIServer("openrouter") as server:
        backend = connect(server, options={"dialect": "openai"})
        with pytest.raises(BackendError, match="does not speak OpenAI’s images API"):
            await backend.capabilities()
        await backend.aclose()
