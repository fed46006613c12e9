"""Answers of real gradio servers, word for word, through respx."""

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest
import respx

from backends.base import BackendConfig
from backends.gradio_flux.backend import GradioFluxBackend
from generation.errors import BackendError, BackendUnavailable, GenerationError, OutOfMemory, RequestRejected
from generation.job import Progress
from generation.request import GenerationRequest
from net.guard import owners_transport
from tests.engines.gradio_engine import DATA
from tests.utils.pictures import picture

URL = "http://flux.test:7860"
FOLDERS = {"gradio4": "", "gradio5": "/gradio_api", "gradio6": "/gradio_api"}
REQUEST = GenerationRequest(prompt="a fuzzy cat", width=256, height=256, steps=4, cfg_scale=0.0, seed=7)

majors = pytest.mark.parametrize("folder", list(FOLDERS))


@pytest.fixture
async def mock() -> AsyncIterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@cache
def recorded(folder: str, name: str) -> Any:
    return json.loads((DATA / folder / f"{name}.json").read_text())


def replay(mock: respx.MockRouter, folder: str, stream: str, prefix: str, url: str = URL) -> respx.Route:
    """Set up one recorded server whose next event ends as `stream` did; the join is returned."""
    lines = recorded(folder, "streams")[stream]
    mock.get(f"{url}/config").respond(json=recorded(folder, "config"))
    mock.get(f"{url}{prefix}/info").respond(json=recorded(folder, "info"))
    mock.get(url__startswith=f"{url}{prefix}/queue/data").respond(
        text="\n\n".join(lines) + "\n\n", content_type="text/event-stream"
    )
    mock.get(url__startswith=f"{url}{prefix}/file=/tmp/gradio/").respond(content=picture("WEBP"))
    return mock.post(f"{url}{prefix}/queue/join").respond(json={"event_id": "e"})


async def draw(seen: list[Progress] | None = None, url: str = URL) -> Any:
    async def report(progress: Progress) -> None:
        if seen is not None:
            seen.append(progress)

    config = BackendConfig(name="flux", kind="gradio_flux", label="Flux", url=url)
    backend = GradioFluxBackend(config, transport=owners_transport())
    try:
        return await backend.generate(REQUEST, report)
    finally:
        await backend.aclose()


@majors
async def test_recorded_job_gives_its_picture_its_seed_and_its_progress(mock: respx.MockRouter, folder: str) -> None:
    join = replay(mock, folder, "queue_ok", FOLDERS[folder])
    seen: list[Progress] = []
    result = await draw(seen)
    assert [image.seed for image in result.images] == [7]
    assert [progress.fraction for progress in seen] == [0.0, 0.25, 0.5, 0.75]
    sent = json.loads(join.calls[0].request.content)
    assert sent["data"] == ["a fuzzy cat", "black-forest-labs/FLUX.1-schnell", 7, 0.0, 1, False, 256, 256, 4]
    assert sent["fn_index"] == 1
    assert sent.keys() == {"data", "fn_index", "session_hash", "event_data", "trigger_id"}


async def test_path_in_front_of_the_app_is_kept(mock: respx.MockRouter) -> None:
    replay(mock, "gradio6", "queue_ok", "/gradio_api", f"{URL}/flux")
    assert (await draw(url=f"{URL}/flux/")).images


async def test_each_event_has_a_session_of_its_own(mock: respx.MockRouter) -> None:
    join = replay(mock, "gradio5", "queue_ok", "/gradio_api")
    for _ in range(2):
        await draw()
    assert len({json.loads(call.request.content)["session_hash"] for call in join.calls}) == 2


@pytest.mark.parametrize(("folder", "prefix"), [("zimage-gradio4", ""), ("zimage-gradio6", "/gradio_api")])
async def test_recorded_z_image_gives_its_picture(mock: respx.MockRouter, folder: str, prefix: str) -> None:
    join = replay(mock, folder, "queue_ok", prefix)
    assert len((await draw()).images) == 1
    assert json.loads(join.calls[0].request.content)["data"] == ["a fuzzy cat", 4, 0.0, 7, 256, 256]


@majors
@pytest.mark.parametrize(
    ("stream", "error"),
    [
        ("queue_gr_error", OutOfMemory),
        ("queue_exception", BackendUnavailable),
        ("queue_exception_show_error", BackendError),
        ("cancel_running", BackendError),
        ("queue_data_unknown_session", BackendUnavailable),
    ],
)
async def test_recorded_failures_have_their_class(
    mock: respx.MockRouter, folder: str, stream: str, error: type[GenerationError]
) -> None:
    replay(mock, folder, stream, FOLDERS[folder])
    with pytest.raises(error) as caught:
        await draw()
    assert type(caught.value) is error


@pytest.mark.parametrize("folder", ["gradio5", "gradio6"])
async def test_recorded_bad_choice_is_the_requests_fault(mock: respx.MockRouter, folder: str) -> None:
    replay(mock, folder, "queue_bad_choice", FOLDERS[folder])
    with pytest.raises(RequestRejected):
        await draw()


@majors
async def test_generators_intermediate_pictures_are_passed_over(mock: respx.MockRouter, folder: str) -> None:
    replay(mock, folder, "generator_process_generating", FOLDERS[folder])
    result = await draw()
    fetched = [str(call.request.url) for call in mock.calls if "/file=" in str(call.request.url)]
    last = recorded(folder, "streams")["generator_process_generating"][-2]
    assert len(fetched) == len(result.images) == 1
    assert fetched[0].rpartition("/gradio/")[2] in last
