"""The life of a job on a real socket: progress, cancelling, lost answers, leaking settings, broken servers."""

import asyncio
from typing import Any

import pytest

from backends.a1111.backend import A1111Backend
from backends.a1111.facts import A1111Facts, Checkpoint, Program
from backends.a1111.payload import changes, to_payload
from backends.a1111.progress import A1111Pace
from backends.base import BackendConfig
from backends.kinds import make_backend
from generation.errors import BackendError, BackendUnavailable, GenerationError, UnexpectedAnswer
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from net.client import make_client
from tests.backends.test_a1111_contract import connect
from tests.engines.a1111_engine import Failed, draw
from tests.engines.a1111_server import A1111Server
from tests.waiting import until

FAMILIES = pytest.mark.parametrize("family", ["a1111", "forge"])
ALWAYS = {"options": {"recover": "always"}}


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 64, "height": 64, "steps": 20, "cfg_scale": 7.0, "seed": 812,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))


async def _ignore(_: Progress) -> None:
    pass


async def stranger(server: A1111Server, **changes: Any) -> Any:
    """Somebody else's job on the same server, waiting for its answer."""
    async with make_client(BackendConfig(name="x", kind="a1111", url=server.url).endpoint) as client:
        return await client.post("/sdapi/v1/txt2img", json={"prompt": "theirs", "steps": 5, **changes})


@FAMILIES
async def test_progress_comes_with_steps_and_previews(family: str) -> None:
    async with A1111Server(family) as server:
        backend, seen = connect(server), []
        server.engine.hold()
        watching = asyncio.Event()

        async def report(progress: Progress) -> None:
            seen.append(progress)
            watching.set()

        job = asyncio.create_task(backend.generate(request(), report))
        await watching.wait()
        server.engine.step(10)
        await until(lambda: any(progress.preview for progress in seen))
        server.engine.step(5)
        await until(lambda: seen[-1].fraction == 0.75)
        assert (seen[-1].step, seen[-1].steps) == (15, 20)
        server.engine.release()
        await job
        assert sum(bool(progress.preview) for progress in seen) == 1  # an unchanged picture is not sent again
        assert next(p.preview for p in seen if p.preview).startswith(b"\x89PNG")
        await backend.aclose()


@FAMILIES
async def test_it_is_told_once_that_the_server_is_free_for_the_next_job(family: str) -> None:
    async with A1111Server(family) as server:
        backend, drawn = connect(server), []

        async def report(progress: Progress) -> None:
            if progress.is_drawn:
                drawn.append(server.engine.job)

        await backend.generate(request(), report)
        assert drawn == [None], "it draws nothing any more"
        server.fail_next(status=500, after_accept=True)
        with pytest.raises(GenerationError):
            await backend.generate(request(), report)
        assert len(drawn) == 1, "what failed is no picture under way"
        await backend.aclose()


async def test_place_in_the_servers_own_queue_is_told() -> None:
    async with A1111Server() as server:
        backend, notes = connect(server), []
        server.engine.hold()
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: server.engine.job is not None)

        async def report(progress: Progress) -> None:
            notes.append(progress.note)

        job = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: "next in the engine’s own queue" in notes)
        server.engine.release()
        await asyncio.gather(job, theirs)
        await backend.aclose()


async def test_without_web_ui_somebody_elses_progress_is_not_shown_as_ours() -> None:
    async with A1111Server(ui=False) as server:
        backend, seen = connect(server), []
        server.engine.hold()
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: server.engine.job is not None)

        async def report(progress: Progress) -> None:
            seen.append(progress)

        job = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: len(server.engine.pending) == 1)
        server.engine.step(4)
        await asyncio.sleep(0.04)
        assert seen == []
        server.engine.release()
        await asyncio.gather(job, theirs)
        await backend.aclose()


async def test_broken_progress_does_not_cost_the_picture() -> None:
    async def report(_: Progress) -> None:
        raise RuntimeError("the message is gone")

    async with A1111Server(seconds_per_image=0.05) as server:
        backend = connect(server)
        assert (await backend.generate(request(), report)).images
        await backend.aclose()


@FAMILIES
async def test_cancelling_interrupts_our_own_running_job_once(family: str) -> None:
    async with A1111Server(family) as server:
        backend = connect(server)
        server.engine.hold()
        job = asyncio.create_task(backend.generate(request(), _ignore))
        await until(lambda: server.engine.job is not None)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await until(lambda: bool(server.interrupted))
        assert server.interrupted == [server.submitted[0]["force_task_id"]]
        assert server.interrupt_calls == 1
        await backend.aclose()


async def test_cancelling_a_waiting_job_leaves_the_strangers_running_one_alone() -> None:
    async with A1111Server() as server:
        backend = connect(server, A1111Pace(cancel_poll_s=0.005, cancel_wait_s=0.02))
        server.engine.hold()
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: server.engine.job is not None)
        job = asyncio.create_task(backend.generate(request(), _ignore))
        await until(lambda: len(server.engine.pending) == 1)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job  # after the short wait, long before the stranger is done
        assert server.interrupt_calls == 0
        server.engine.step(5)
        assert (await theirs).status_code == 200
        await until(lambda: bool(server.interrupted))  # ours, the moment it begins
        assert server.interrupted == [server.submitted[1]["force_task_id"]]
        assert server.finished == ["task(1)"]
        await backend.aclose()


async def test_without_web_ui_nothing_is_interrupted_unless_the_server_was_idle_before() -> None:
    async with A1111Server(ui=False) as server:
        backend = connect(server)
        server.engine.hold()
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: server.engine.job is not None)
        job = asyncio.create_task(backend.generate(request(), _ignore))
        await until(lambda: len(server.engine.pending) == 1)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert server.interrupt_calls == 0
        server.engine.release()
        assert (await theirs).status_code == 200
        await backend.aclose()


@pytest.mark.parametrize(
    ("family", "status"), [("a1111", 502), ("a1111", 504), ("a1111", 520), ("a1111", 522), ("forge", 524)]
)
async def test_answer_lost_in_a_proxy_is_fetched_from_the_files(family: str, status: int) -> None:
    async with A1111Server(family, seconds_per_image=0.005) as server:
        backend = connect(server, **ALWAYS)
        server.fail_next(status=status, body="<html>timeout</html>", after_accept=True)
        result = await backend.generate(request(batch_size=2), _ignore)
        assert [image.seed for image in result.images] == [812, 813]
        assert result.model == "tinyA"
        assert len(server.submitted) == 1  # never sent twice
        assert len(server.engine.files) == 2  # they are the server's, and stay there
        await backend.aclose()


async def test_answer_lost_to_a_read_timeout_is_fetched_too() -> None:
    async with A1111Server() as server:
        backend = connect(server, timeout_s=0.2, **ALWAYS)
        server.break_next("hang")
        assert len((await backend.generate(request(), _ignore)).images) == 1
        await backend.aclose()


async def test_img2img_answer_is_fetched_from_its_own_folder() -> None:
    async with A1111Server() as server:
        backend = connect(server, **ALWAYS)
        server.fail_next(status=524, after_accept=True)
        source = SourceImage.of(draw(64, 64, 1, ""))
        result = await backend.generate(request(mode=Mode.IMG2IMG, init_image=source), _ignore)
        assert len(result.images) == 1
        assert all(path.startswith("outputs/img2img-images/easel-") for path in server.engine.files)
        await backend.aclose()


async def test_job_that_failed_behind_the_proxy_is_given_up() -> None:
    async with A1111Server() as server:
        backend = connect(server, **ALWAYS)
        server.engine.fail_with = Failed("RuntimeError", "boom")
        server.fail_next(status=524, after_accept=True)
        with pytest.raises(BackendUnavailable) as caught:
            await backend.generate(request(), _ignore)
        assert caught.value.may_have_run
        await backend.aclose()


async def test_without_recovery_a_lost_job_is_stopped_and_not_sent_again() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.engine.hold()
        server.fail_next(status=524, after_accept=True)
        with pytest.raises(BackendUnavailable) as caught:
            await backend.generate(request(), _ignore)
        assert caught.value.may_have_run
        await until(lambda: bool(server.interrupted))
        assert len(server.submitted) == 1
        assert server.engine.files == {}
        await backend.aclose()


@pytest.mark.parametrize(
    ("url", "option", "expected"),
    [
        ("https://abc-7860.proxy.runpod.net", "auto", True),
        ("https://some-words.trycloudflare.com/", "", True),
        ("http://192.168.0.9:7860", "auto", False),
        ("https://abc-7860.proxy.runpod.net", "never", False),
        ("http://192.168.0.9:7860", "always", True),
    ],
)
async def test_files_are_kept_only_behind_impatient_proxies_or_by_option(url: str, option: str, expected: bool) -> None:
    async with A1111Server() as server:
        backend = connect(server, url=url, options={"recover": option} if option else {})
        assert backend._chooses("recover") is expected
        await backend.aclose()


@FAMILIES
async def test_file_names_of_ours_do_not_stay_in_the_servers_settings(family: str) -> None:
    async with A1111Server(family) as server:
        backend = connect(server, **ALWAYS)
        await backend.generate(request(clip_skip=3), _ignore)
        assert server.engine.option("samples_filename_pattern") == ""
        assert server.engine.option("save_to_dirs") is True
        assert server.engine.option("CLIP_stop_at_last_layers") == 1
        await backend.aclose()


@FAMILIES
async def test_setting_that_leaked_from_one_job_does_not_reach_the_next(family: str) -> None:
    async with A1111Server(family) as server:
        backend = connect(server)
        await backend.generate(request(clip_skip=3), _ignore)
        assert server.engine.option("CLIP_stop_at_last_layers") == 3  # the server's bug
        await backend.capabilities()
        await backend.generate(request(), _ignore)
        assert server.submitted[-1]["override_settings"]["CLIP_stop_at_last_layers"] == 1
        await backend.aclose()


async def test_after_a_failure_of_forge_the_next_job_gets_a_fresh_connection() -> None:
    async with A1111Server("forge") as server:
        backend = connect(server)
        for _ in range(3):
            server.engine.fail_with = Failed("RuntimeError", "boom")
            with pytest.raises(BackendError) as caught:
                await backend.generate(request(), _ignore)
            assert caught.value.user_message == "The GPU says: boom."
            assert (await backend.generate(request(), _ignore)).images
        await backend.aclose()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", BackendUnavailable),
        ("truncate", UnexpectedAnswer),
        ("bomb", UnexpectedAnswer),
        ("empty", UnexpectedAnswer),
    ],
)
async def test_broken_answers_are_our_errors(fault: str, kind: type[GenerationError]) -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.break_next(fault)
        with pytest.raises(kind):
            await backend.generate(request(), _ignore)
        await backend.aclose()


async def test_too_many_requests_pause_for_as_long_as_the_server_says() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.fail_next(status=429, body="slow down", Retry_After="7")
        with pytest.raises(GenerationError) as caught:
            await backend.generate(request(), _ignore)
        assert caught.value.retry_after == 7.0
        await backend.aclose()


def test_flux_on_forge_gets_its_guidance_and_modules() -> None:
    flux = Checkpoint(title="flux1-dev.safetensors [aa]", name="flux1-dev")
    facts = A1111Facts(
        family=Program.FORGE, has_guidance=True, checkpoints=(flux,), samplers={"euler": "Euler"},
        schedulers=("Automatic", "Simple"),
        vaes=("sdxl.safetensors", "ae.safetensors", "clip_l.safetensors", "t5xxl_fp8.safetensors"),
    )  # fmt: skip
    asked = request(model="flux1-dev", negative_prompt="blurry")
    payload = to_payload(asked, facts, {"preview_every": "3"}, "t", keep_files=False)
    modules = payload["override_settings"]["forge_additional_modules"]
    assert modules == ["ae.safetensors", "clip_l.safetensors", "t5xxl_fp8.safetensors"]
    assert (payload["cfg_scale"], payload["distilled_cfg_scale"], payload["negative_prompt"]) == (1.0, 3.5, "")
    assert (payload["sampler_name"], payload["scheduler"]) == ("Euler", "Simple")
    assert payload["override_settings"]["show_progress_every_n_steps"] == 3
    assert len(changes(asked, facts)) == 2


def test_factory_is_registered() -> None:
    made = make_backend(BackendConfig(name="x", kind="a1111", url="http://localhost:7860"))
    assert isinstance(made, A1111Backend)
