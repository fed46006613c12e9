"""The event stream: what a reader is told, to whom, and what becomes of one that is too slow."""

import asyncio
import json
from dataclasses import replace

import pytest

from api import events
from api.caller import LOCAL
from api.sockets import bind_all
from backends.base import BackendConfig
from backends.registry import Entry, Owner
from generation.errors import LimitReached
from generation.person import Person
from tests.api.conftest import SMALL, held
from tests.fakes import FakeBackend
from tests.waiting import until

MIA = Person(user_key="discord:7", name="Mia", scopes=frozenset({"read", "generate"}), door="api", how="session")
ANN = Person(user_key="discord:8", name="Ann", scopes=frozenset({"read", "generate"}), door="api", how="session")


def told(data):
    """Events in the order they came, as (name, values)."""
    found = []
    for block in data.decode().split("\n\n"):
        if block.startswith("event: "):
            name, _, values = block.partition("\ndata: ")
            found.append((name.removeprefix("event: "), json.loads(values)))
    return found


def taken(reader):
    return told(reader.take())


async def read(site, count, headers=None):
    """Open the stream as a client does, and take its first events."""
    parts, done = [], asyncio.Event()
    scope = {
        "type": "http", "method": "GET", "path": "/events", "raw_path": b"/events", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *(headers or [])], "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80),
        "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip

    async def receive():
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        parts.append(message)
        if len(told(b"".join(part.get("body", b"") for part in parts))) >= count:
            done.set()

    async with asyncio.timeout(5):
        await site.app(scope, receive, send)
    return parts[0], told(b"".join(part.get("body", b"") for part in parts))


async def test_a_stream_begins_with_who_is_here_the_queue_and_what_is_active(site, client):
    with held(site):
        job = (await client.post("/api/jobs", json={"prompt": "a fox"} | SMALL)).json()["jobs"][0]
        start, found = await read(site, 3)
    headers = dict(start["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store"
    assert [name for name, _ in found[:3]] == ["hello", "queue", "job"]
    hello, queue, active = (values for _, values in found[:3])
    assert hello["user"]["how"] == "local"
    assert set(queue["engines"]) == {"sketch"}
    assert active["id"] == job["id"]
    await until(lambda: site.web.hub.streams == 0)


async def test_a_job_is_told_from_queued_to_done(site, client):
    reader = site.web.hub.open(LOCAL)
    job = await site.draw()
    found = []

    def is_done():
        found.extend(taken(reader))
        return any(name == "job" and values["status"] == "done" for name, values in found)

    await until(is_done)
    last = [values for name, values in found if name == "job"][-1]
    assert (last["id"], last["is_mine"], len(last["images"])) == (job["id"], True, 1)


async def test_private_jobs_are_told_to_their_owner_alone(site, client):
    mine, hers = site.web.hub.open(LOCAL), site.web.hub.open(MIA)
    await site.draw(is_private=True)
    await until(lambda: mine.pending)
    await asyncio.sleep(0.03)
    assert "job" not in [name for name, _ in taken(hers)]


async def test_others_open_jobs_are_told_as_theirs(site, client):
    hers = site.web.hub.open(MIA)
    await site.draw()
    await until(lambda: "sketch" not in hers.pending and any(key != "queue" for key in hers.pending))
    jobs = [values for name, values in taken(hers) if name == "job"]
    assert jobs[-1]["is_mine"] is False


async def test_a_deleted_job_is_told_as_gone(site, client):
    job = await site.draw()
    reader = site.web.hub.open(LOCAL)
    await client.delete(f"/api/jobs/{job['id']}")
    assert ("gone", {"id": job["id"]}) in taken(reader)


async def test_a_deleted_lone_picture_is_told_as_gone(site, client):
    job = await site.draw()
    reader = site.web.hub.open(LOCAL)
    await client.delete(f"/api/gallery/{job['images'][0]['id']}")
    assert ("gone", {"id": job["id"]}) in taken(reader)


async def test_changes_of_one_job_are_held_as_one(site):
    reader = site.web.hub.open(LOCAL)
    for number in range(5):
        reader.put("job1", events.sse("job", {"number": number}))
    assert taken(reader) == [("job", {"number": 4})]
    assert reader.take() == b""


async def test_a_slow_reader_holds_so_much_and_is_told_to_load_anew(site):
    reader = site.web.hub.open(LOCAL)
    for number in range(3 * events.MOST_PENDING):
        reader.put(f"job{number}", events.sse("job", {}))
        assert len(reader.pending) <= events.MOST_PENDING
    assert taken(reader) == [("resync", {})]
    reader.put("job1", events.sse("job", {}))
    assert taken(reader) == [("job", {})]


async def test_one_person_has_so_many_streams(site):
    readers = [site.web.hub.open(MIA) for _ in range(events.MOST_READERS_PER_USER + 1)]
    assert readers[-1] is None
    assert all(readers[:-1])
    mia = await site.session_client("discord:7")
    answer = await mia.get("/events")
    assert (answer.status_code, answer.json()["code"]) == (429, LimitReached.code)
    assert answer.headers["retry-after"] == "10"


async def test_streams_leave_room_for_requests(site):
    few = site.web.settings.model_copy(update={"connections": 5})  # fewer than anybody may set
    site.door.web = replace(site.door.web, settings=few)
    await site.door.open(bind_all(site.easel.settings.web))
    readers = []
    while (reader := site.web.hub.open(LOCAL)) and len(readers) < 10:
        readers.append(reader)
    assert len(readers) == 4
    await site.door.close()


async def test_streams_end_when_easel_does(site):
    reader = site.web.hub.open(LOCAL)
    stream = asyncio.create_task(anext(site.web.hub.stream(reader, [])))
    await asyncio.sleep(0)
    site.web.hub.close()
    with pytest.raises(StopAsyncIteration):
        await stream


async def test_whose_a_persons_own_engine_is_stays_with_that_person(site):
    owner = Owner(kind="user", id="7")
    config = BackendConfig(name="user-7", kind="fake", label="Mia's Forge")
    site.easel.registry.add(Entry(config=config, backend=FakeBackend("user-7"), owner=owner))
    mia, other = await site.session_client("discord:7", "Mia"), await site.session_client("discord:8", "Ann")
    readers = {"mia": site.web.hub.open(MIA), "ann": site.web.hub.open(ANN), "home": site.web.hub.open(LOCAL)}
    found = {name: [] for name in readers}
    job = (await mia.post("/api/jobs", json={"prompt": "a fox", "backend": "user-7"} | SMALL)).json()["jobs"][0]
    assert job["lane"] == "user-7"
    await site.ended(job["id"], mia)

    def heard():
        for name, reader in readers.items():
            found[name] += taken(reader)
        return all({"queue", "job"} <= {event for event, _ in events} for events in found.values())

    await until(heard)
    assert "user-7" in [values for event, values in found["mia"] if event == "queue"][-1]["engines"]
    for name in ("ann", "home"):
        assert "user-7" not in json.dumps(found[name]), name
        assert set([values for event, values in found[name] if event == "queue"][-1]["engines"]) == {"sketch"}
    assert (await other.get(f"/api/jobs/{job['id']}")).json()["lane"] == "user"
    assert "user-7" not in (await other.get("/api/gallery", params={"scope": "all"})).text
    assert "user-7" not in (await other.get("/api/images/history", params={"scope": "all"})).text
