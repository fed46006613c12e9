"""Each fault of a gradio app: the class of the error, one clear sentence, and nothing drawn twice."""

import asyncio
import socket

import pytest

from backends.base import BackendConfig
from backends.gradio_flux.backend import GradioFluxBackend
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from tests.backends import products
from tests.backends.test_gradio_flux_contract import connect
from tests.backends.test_gradio_flux_jobs import ignore, request
from tests.engines.gradio_app import GradioApp
from tests.engines.gradio_engine import Refused
from tests.net.servers import Handler, serve
from tests.waiting import until

HTML = "<html><body>502 Bad Gateway</body></html>"

# what goes wrong, how -> the error, a part of its sentence, how often the app drew
FAULTS = [
    ("status", {"status": 401}, BackendAuthError, "wants a user name", 0),
    ("status", {"status": 403}, BackendAuthError, "refuses", 0),
    ("status", {"status": 404, "body": {"detail": "Not Found"}}, UnexpectedAnswer, "does not know", 0),
    ("status", {"status": 422, "body": {"detail": []}}, RequestRejected, "does not accept", 0),
    ("status", {"status": 429, "retry_after": "7"}, RateLimited, "slow down", 0),
    ("status", {"status": 429}, RateLimited, "slow down", 0),
    ("status", {"status": 500, "body": "Internal Server Error"}, BackendUnavailable, "failed inside", 0),
    ("status", {"status": 502, "body": HTML}, BackendGone, "through its proxy", 0),
    ("status", {"status": 504, "body": HTML}, BackendUnavailable, "through its proxy", 0),
    ("status", {"status": 524, "body": HTML}, BackendUnavailable, "through its proxy", 0),
    ("status", {"status": 503, "body": {"detail": "Queue is full. Max size is 1."}}, RateLimited, "full queue", 0),
    ("status", {"status": 200, "body": HTML}, UnexpectedAnswer, "cannot be read", 0),
    ("status", {"status": 200, "body": {"event": 1}}, UnexpectedAnswer, "cannot be read", 0),
    ("status", {"status": 200, "body": "x" * 100_000}, UnexpectedAnswer, "more than any picture", 0),
    ("hang", {}, BackendUnavailable, "did not answer in time", 0),
    ("silent", {}, BackendUnavailable, "did not answer in time", 1),
    ("reset", {}, BackendUnavailable, "lost the connection", 1),
    ("broken", {}, UnexpectedAnswer, "cannot be read", 1),
    ("flood", {}, UnexpectedAnswer, "more than any picture", 1),
    ("empty", {}, UnexpectedAnswer, "without a picture", 1),
    ("not_a_picture", {}, UnexpectedAnswer, "cannot be used", 1),
    ("cut", {}, UnexpectedAnswer, "cannot be used", 1),
    ("bomb", {}, UnexpectedAnswer, "cannot be used", 1),
    ("big", {}, UnexpectedAnswer, "more than any picture", 1),
    ("no_file", {}, BackendError, "does not hand out its file", 1),
]


@pytest.mark.parametrize(("kind", "how", "error", "words", "drawn"), FAULTS)
async def test_fault_is_told_and_the_next_picture_is_drawn(
    kind: str, how: dict[str, object], error: type[GenerationError], words: str, drawn: int
) -> None:
    async with GradioApp() as app:
        backend = connect(app, silence_s=0.3)
        app.break_next(kind, **how)  # type: ignore[arg-type]
        with pytest.raises(error) as caught:
            await backend.generate(request(), ignore)
        assert type(caught.value) is error
        assert words in caught.value.user_message
        _is_for_people(caught.value)
        await until(lambda: len(app.engine.submitted) >= drawn)
        assert len(app.engine.submitted) == drawn
        if "retry_after" in how:
            assert caught.value.retry_after == 7.0
        assert (await backend.generate(request(), ignore)).images
        await backend.aclose()


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (Refused("CUDA out of memory. Tried to allocate 2.00 GiB"), OutOfMemory, "ran out of graphics memory"),
        (Refused("Please write a longer prompt"), BackendError, "Flux says: Please write a longer prompt."),
        (Refused("Cannot open C:\\flux\\ae.sft\nTraceback"), BackendError, "Flux says: Cannot open …"),
        (Refused("Ask @everyone at https://x.example/a <b>now</b>!"), BackendError, "Flux says: Ask … at … now!"),
        (Refused("w" * 500), BackendError, "Flux says: w"),
        (Refused("/only/a/path"), BackendUnavailable, "does not say why"),
        (ValueError("hidden, since the app does not show errors"), BackendUnavailable, "does not say why"),
    ],
)
@pytest.mark.parametrize("major", [4, 5, 6])
async def test_what_the_app_says_of_a_failure_is_passed_on(
    major: int, failure: Exception, error: type[GenerationError], words: str
) -> None:
    async with GradioApp(major) as app:
        backend = connect(app)
        app.engine.fail_with = failure
        with pytest.raises(error) as caught:
            await backend.generate(request(), ignore)
        assert words in caught.value.user_message
        assert len(caught.value.user_message) < 200
        _is_for_people(caught.value)
        await backend.aclose()


async def test_python_exception_with_its_text_is_passed_on() -> None:
    async with GradioApp(show_error=True) as app:
        backend = connect(app)
        app.engine.fail_with = ValueError("boom: tensor shapes differ")
        with pytest.raises(BackendError) as caught:
            await backend.generate(request(), ignore)
        assert caught.value.user_message == "Flux says: boom: tensor shapes differ."
        await backend.aclose()


async def test_value_out_of_its_list_is_the_requests_fault() -> None:
    async with GradioApp(6) as app:
        backend = connect(app)
        with pytest.raises(RequestRejected) as caught:
            await backend.generate(request(model="no-such-model"), ignore)
        says = caught.value.user_message
        assert says.startswith(
            "Flux does not take one of these values. It says: Value: no-such-model is not in the list"
        )
        await backend.aclose()


async def test_picture_stopped_on_the_web_page_is_told() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        app.engine.hold()
        job = asyncio.create_task(backend.generate(request(), ignore))
        await until(lambda: app.engine.drawing)
        app.engine.cancel(app.engine.drawing[0].id)
        with pytest.raises(BackendError) as caught:
            await job
        assert caught.value.user_message == "Flux ended the picture early: somebody stopped it there."
        app.engine.release()
        await backend.aclose()


async def test_app_closed_in_the_middle_is_told() -> None:
    app = GradioApp()
    await app.__aenter__()
    backend = connect(app)
    app.engine.hold()
    job = asyncio.create_task(backend.generate(request(), ignore))
    await until(lambda: app.engine.drawing)
    await app.__aexit__()
    with pytest.raises(BackendUnavailable) as caught:
        await job
    assert caught.value.may_have_run
    with pytest.raises(BackendUnavailable) as caught:
        await backend.generate(request(), ignore)
    assert caught.value.user_message == "Flux is not running there."
    assert "next free port" in caught.value.hint
    await backend.aclose()


def _page(version: str = "5.1", protocol: str = "sse_v3", title: str = "Gradio") -> dict[str, Handler]:
    config = {"version": version, "protocol": protocol, "title": title, "components": [], "dependencies": []}
    return {"/config": products.answer(config)}


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        (products.a1111(), "it is Automatic1111, not a Flux app"),
        (products.a1111("openapi-forge"), "it is Forge, not a Flux app"),
        (products.a1111_without_api(), "it is Automatic1111 or Forge, not a Flux app"),
        (_page(title="Stable Diffusion"), "it is Automatic1111 or Forge, not a Flux app"),
        (products.comfyui(), "it is ComfyUI 0.33.0, not a Flux app"),
        (_page(), "it is an app that draws no pictures from a prompt"),
        (_page("3.41.2", "ws"), "it is gradio 3.41.2, which is too old"),
        ({"/": products.page()}, "it is not a gradio app"),
        ({"/config": products.page()}, "it is not a gradio app"),
        ({"/config": products.answer([])}, "it is not a gradio app"),
        ({"/config": products.answer({}, 500)}, "failed inside"),
        ({"/config": products.page(HTML, 502)}, "through its proxy"),
        ({"/config": products.answer({}, 429)}, "slow down"),
        ({"/config": products.answer({}, 401)}, "wants a user name"),
    ],
)
async def test_whatever_answers_instead_is_named(routes: dict[str, Handler], words: str) -> None:
    async with serve(routes) as port:
        error = await _refusal(f"http://127.0.0.1:{port}")
    assert words in error.user_message


async def test_unknown_function_of_the_owners_is_told() -> None:
    async with GradioApp() as app:
        error = await _refusal(app.url, options={"api_name": "dream"})
    assert error.user_message == "Flux has no function “dream” that draws a picture from a prompt."


async def test_refused_connection_and_wrong_protocol_are_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert (await _refusal(f"http://127.0.0.1:{port}")).user_message == "Flux is not running there."
    assert "address that does not exist" in (await _refusal("http://flux.invalid:7860")).user_message
    async with GradioApp() as app:
        error = await _refusal(app.url.replace("http:", "https:"))
    assert isinstance(error, BackendUnavailable)
    assert "certificate" in error.user_message


async def test_without_an_address_the_usual_port_is_asked() -> None:
    backend = GradioFluxBackend(BackendConfig(name="flux", kind="gradio_flux"))
    assert str(backend._client.base_url) == "http://127.0.0.1:7860"
    await backend.aclose()


async def _refusal(url: str, **changes: object) -> BackendError:
    config = BackendConfig(name="flux", kind="gradio_flux", label="Flux", url=url, **changes)  # type: ignore[arg-type]
    backend = GradioFluxBackend(config)
    with pytest.raises(BackendError) as caught:
        await backend.capabilities()
    _is_for_people(caught.value)
    await backend.aclose()
    return caught.value


def _is_for_people(error: GenerationError) -> None:
    text = f"{error.user_message} {error.hint}"
    assert not any(sign in text for sign in ("http:", "https:", "Traceback", "127.0.0.1", "/tmp", "Error(", "@"))
