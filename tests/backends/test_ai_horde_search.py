"""A job whose id was lost is found among the account's by its picture's seed, and no other is taken for it."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest

from backends.ai_horde.backend import AiHordeBackend
from backends.base import FindingBackend
from generation.errors import BackendUnavailable
from tests.backends.test_ai_horde_contract import connect
from tests.backends.test_ai_horde_jobs import request
from tests.engines.horde_server import HordeServer
from tests.engines.listener import Fault

KEY = "registered"


@pytest.fixture
async def server() -> AsyncIterator[HordeServer]:
    async with HordeServer(has_rates=False) as made:
        yield made


@pytest.fixture
async def horde(server: HordeServer) -> AsyncIterator[AiHordeBackend]:
    """The process after the one that was killed."""
    backend = connect(server, key=KEY)
    yield backend
    await backend.aclose()


async def sent(server: HordeServer, *seeds: int, key: str = KEY, count: int = 1) -> list[str]:
    """Submit jobs by another process, whose answers are lost."""
    other = connect(server, key=key)
    ids = [await other.start(request(seed=seed, batch_size=count)) for seed in seeds]
    await other.aclose()
    return ids


async def nobody() -> Collection[str]:
    return ()


async def test_the_intent_is_told_when_all_is_ready_and_before_it_leaves(
    server: HordeServer, horde: AiHordeBackend
) -> None:
    reported: list[tuple[str, int]] = []

    async def sending(intent: str) -> None:
        reported.append((intent, len(server.jobs)))

    await horde.start(request(seed=7), sending)
    assert (reported, len(server.jobs)) == ([("7", 0)], 1)
    assert isinstance(horde, FindingBackend)
    assert horde.can_find
    anonymous = connect(server)
    assert not anonymous.can_find
    await anonymous.aclose()


@pytest.mark.parametrize("count", [1, 3])
async def test_a_job_is_known_by_the_seed_of_its_picture(
    server: HordeServer, horde: AiHordeBackend, count: int
) -> None:
    ids = await sent(server, 1, 100, 200, count=count)
    assert await horde.find("100", request(seed=100, batch_size=count), nobody) == ids[1]
    result = await horde.fetch(ids[1], request(seed=100, batch_size=count))
    assert [image.seed for image in result.images] == [100 + place for place in range(count)]


async def test_a_job_that_was_never_taken_is_not_found(server: HordeServer, horde: AiHordeBackend) -> None:
    await sent(server, 1, 2)
    await sent(server, 3, key="0000000000")
    assert await horde.find("3", request(seed=3), nobody) is None


async def test_seeds_that_a_horde_makes_smaller_are_known_again(server: HordeServer, horde: AiHordeBackend) -> None:
    (remote_id,) = await sent(server, 7)
    assert await horde.find("x", request(seed=2**32 + 7), nobody) == remote_id


async def test_the_id_of_another_job_of_ours_is_passed_over(server: HordeServer, horde: AiHordeBackend) -> None:
    theirs, ours = await sent(server, 7, 7)

    async def known() -> Collection[str]:
        return (theirs,)

    assert await horde.find("7", request(seed=7), known) == ours
    assert await horde.find("7", request(seed=7), known) is None  # the first one has it


async def test_two_that_are_looked_for_at_once_are_two_jobs(server: HordeServer, horde: AiHordeBackend) -> None:
    ids = await sent(server, 7, 7)
    found = await asyncio.gather(*(horde.find("7", request(seed=7), nobody) for _ in range(3)))
    assert sorted(found, key=str) == sorted([*ids, None], key=str)


async def test_hundreds_of_ended_jobs_of_ours_are_not_asked_about(server: HordeServer, horde: AiHordeBackend) -> None:
    (ours,) = await sent(server, 7)
    for number in range(300):
        server.jobs[f"old{number}"] = replace(server.jobs[ours], id=f"old{number}")
    asked = []

    async def known() -> Collection[str]:
        asked.append(1)
        return {f"old{number}" for number in range(300)}

    assert await horde.find("7", request(seed=7), known) == ours
    assert (len(asked), server.count("GET", "/check/old")) == (1, 0)


async def test_it_waits_for_a_picture_rather_than_guess(server: HordeServer, horde: AiHordeBackend) -> None:
    server.hold()
    _, ours = await sent(server, 6, 7)
    finding = asyncio.create_task(horde.find("7", request(seed=7), nobody))
    async with asyncio.timeout(5):
        while server.count("GET", "/check/") < 4:
            await asyncio.sleep(0.005)
    assert not finding.done()
    server.release()
    assert await finding == ours


async def test_what_has_no_picture_and_gets_none_is_passed_over(server: HordeServer, horde: AiHordeBackend) -> None:
    server.plans = ["fault"]
    failed, dead, larger = await sent(server, 7, 7, 7)
    server.jobs[dead].aborted, server.jobs[dead].waiting = True, 0
    server.jobs[dead].generations, server.jobs[dead].processing = [], 0
    server.jobs[larger].waiting = 4
    assert await horde.find("7", request(seed=7), nobody) is None
    assert failed in server.jobs


async def test_a_horde_that_does_not_answer_is_an_error_and_not_a_no(
    server: HordeServer, horde: AiHordeBackend
) -> None:
    await sent(server, 7)
    for path in ("/find_user", "/check/", "/generate/status/"):
        times = 3 if "status" in path else 1  # a picture that is drawn is asked for again
        server.faults += [Fault("status", path, status=503) for _ in range(times)]
        with pytest.raises(BackendUnavailable):
            await horde.find("7", request(seed=7), nobody)
