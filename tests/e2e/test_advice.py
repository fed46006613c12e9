"""Advice for whoever runs an engine goes to them; what everybody reads says what they themselves can do."""

from __future__ import annotations

from generation.errors import BackendAuthError, BackendError, BackendUnavailable
from generation.job import Job
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own
from tests.fakes import FakeBackend

ADVICE = "Start it with --no-half-vae."


def broken() -> FakeBackend:
    gpu = FakeBackend("gpu1")
    failure = BackendError("gpu1 drew nothing but broken numbers.", hint="Try another model.")
    gpu.fail = [failure.for_owner(ADVICE)]
    return gpu


async def failed(easel: Easel) -> tuple[str, Job]:
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await easel.server.wait_for(lambda: "broken numbers" in answer.content)
    return answer.content, await easel.job(job_id(answer))


async def told(easel: Easel, who: str, name: str, **options: str) -> str:
    asked = await easel.server.user(who).slash(easel.server.channel, name, **options)
    await easel.server.wait_for(lambda: asked.original and asked.original.content)
    return str(asked.original.content)


async def test_a_failure_says_what_the_person_can_do_and_the_rest_goes_to_who_runs_the_engine(
    discord: DiscordServer, start: StartEasel
) -> None:
    channel = discord.add_channel("admins")
    discord.user("chief", permissions=["MANAGE_GUILD"])
    easel = await start(broken(), admin_channel_id=str(channel.id))
    shown, job = await failed(easel)
    assert "Try another model." in shown
    assert "--no-half-vae" not in shown
    posted = await discord.wait_for(lambda: next(iter(own(channel)), None))
    assert f"gpu1: gpu1 drew nothing but broken numbers. {ADVICE}" in posted.content
    assert f"For who runs gpu1: {ADVICE}" in await told(easel, "chief", "why", job=job.short_id)
    mine = await told(easel, "mia", "why", job=job.short_id)
    assert "Try another model." in mine
    assert "--no-half-vae" not in mine


async def test_it_is_kept_over_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    discord.user("chief", permissions=["MANAGE_GUILD"])
    easel = await start(broken())
    _, job = await failed(easel)
    await easel.kill()
    easel.backends = [FakeBackend("gpu1")]
    await easel.start()
    assert ADVICE in await told(easel, "chief", "why", job=job.short_id)


async def test_status_tells_admins_alone_what_to_look_at(discord: DiscordServer, start: StartEasel) -> None:
    gpu = FakeBackend("gpu1")
    gpu.is_down = BackendUnavailable("gpu1 is not answering.", hint="Start it with --api, and check the port.")
    easel = await start(gpu, has_fallback=False)
    discord.user("chief", permissions=["MANAGE_GUILD"])
    await easel.now.registry.refresh("gpu1")
    assert "--api" in await told(easel, "chief", "status")
    theirs = await told(easel, "mia", "status")
    assert "not answering" in theirs
    assert "--api" not in theirs


async def test_a_request_that_no_engine_can_take_names_no_flags(start: StartEasel) -> None:
    gpu = FakeBackend("gpu1")
    gpu.is_down = BackendAuthError("gpu1 refuses the key.", hint="Connect it with the user:password of --api-auth.")
    easel = await start(gpu, has_fallback=False)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    assert "gpu1 refuses the key." in answer.content
    assert "--api-auth" not in answer.content
    assert "Who runs it reads what to do in `/status`." in answer.content


async def test_an_engine_is_named_once_in_a_failure(start: StartEasel) -> None:
    gpu = broken()
    gpu.fail = [BackendUnavailable("gpu1 lost the connection.", max_attempts=1) for __ in range(9)]
    easel = await start(gpu)
    answer = await easel.answer_to(await easel.say("!dream a red fox --backend gpu1"))
    await easel.server.wait_for(lambda: "lost the connection" in answer.content and "id " in answer.content)
    assert answer.content.count("gpu1") == 1
