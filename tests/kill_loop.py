"""`kill -9` again and again while programs ask for pictures over HTTP, with webhooks and pictures attached.

A seed decides what is asked for and how long each life of Easel lasts; the same seed gives the same moments again. In
the end the files and the engines are counted: what is lost, doubled, left behind.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from constants import MAX_INTERRUPTIONS
from store.folder import DATABASE_NAME
from store.image_cache import FILE_NAME
from tests.easel_process import Begin, EaselProcess, Prepare, free_port, processes
from tests.engines.comfyui_server import ComfyUIServer
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.engines.grid_server import GridServer
from tests.engines.horde_server import HordeServer
from tests.engines.listener import Listener, draw
from tests.store.ready import lay_cache, lay_database

KEY = "registered"  # of the stand-in for a Horde
PROGRAMS = 6
READY_WAIT_S = 30.0
END_WAIT_S = 60.0
LONGEST_LIFE_S = 0.9
LATE_S = 0.06  # how late an engine answers at most after it has taken a job
COUNT_ENDS = """
CREATE TABLE ends (id TEXT NOT NULL, status TEXT NOT NULL);
CREATE TRIGGER count_ends AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') BEGIN INSERT INTO ends VALUES (NEW.id, NEW.status); END;
"""


@dataclass(kw_only=True)
class Findings:
    """The counts of a run. The lists have to be empty."""

    requests: int
    kills: int = 0
    interrupted: int = 0  # ended with a sentence and *Run again*
    at_four_stops: int = 0  # of these: they were running at four stops, so they may have been the cause
    repeats: int = 0  # deliveries that came once more, under the same id
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        names = ("lost", "doubled", "orphans", "untold", "disordered")
        return {name: found for name in names if (found := getattr(self, name))}

    def __str__(self) -> str:
        counts = {name: len(value) if isinstance(value, list) else value for name, value in vars(self).items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items())


class Receiver(Listener):
    """Another program: it hears what became of jobs, and sometimes it is not in the mood."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self.heard: dict[str, list[dict[str, Any]]] = defaultdict(list)  # by the last part of the address

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{name}", self._hear)]

    async def _hear(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._chance.random() < 0.02:
            return web.Response(status=500)
        self.heard[request.match_info["name"]].append(body)
        return web.Response(status=204)


class LateHorde(HordeServer):
    """A Horde that answers a little after it has taken a job, so that a kill may come between."""

    async def _submit(self, request: web.Request) -> web.Response:
        answer = await super()._submit(request)
        await asyncio.sleep(random.Random(len(self.jobs)).uniform(0, LATE_S))
        return answer


class LateComfyUI(ComfyUIServer):
    """The same for ComfyUI, which takes an id of ours."""

    async def _prompt(self, request: web.Request) -> web.Response:
        answer = await super()._prompt(request)
        await asyncio.sleep(random.Random(len(self.engine.submitted)).uniform(0, LATE_S))
        return answer


class LateComfyUIV2(ComfyUIV2Server):
    """The same for API v2, which chooses the id, and takes a key once."""

    async def _submit(self, request: web.Request) -> web.Response:
        answer = await super()._submit(request)
        await asyncio.sleep(random.Random(len(self.engine.submitted)).uniform(0, LATE_S))
        return answer


def make_horde_quick() -> None:
    """Run in the process: a Horde of our own takes as much as we like, and is asked at once."""
    from backends.ai_horde import backend
    from net.rates import Rate

    for name in ("SUBMIT_RATES", "CHECK_RATES", "STATUS_RATES", "LIST_RATES"):
        setattr(backend, name, (Rate(10_000, 1.0),))
    pace = backend.HordePace(near_s=0.02, far_s=0.04)
    backend.HordePace = lambda: pace  # type: ignore[assignment,misc]


def make_grid_quick() -> None:
    from backends.aipowergrid import backend
    from net.rates import Rate

    backend.SUBMIT_RATES = (Rate(10_000, 1.0),)  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The way Easel is told of one, and the prompts that it has taken."""

    settings: dict[str, str]
    prepare: Prepare | None = None
    taken: Callable[[], Sequence[str]] = tuple


@asynccontextmanager
async def engine_of(kind: str) -> AsyncIterator[Engine]:
    """Start the engine of a loop: sketch (inside Easel), comfyui, comfyui_v2, horde, or grid (which charges)."""
    if kind == "sketch":
        yield Engine(settings={"BACKENDS": "one", "ONE_KIND": "sketch", "ONE_CONCURRENCY": "2"})
        return
    common = {"BACKENDS": "one", "ONE_CONCURRENCY": "3"}
    if kind in ("comfyui", "comfyui_v2"):
        make = LateComfyUI if kind == "comfyui" else LateComfyUIV2
        async with make(seconds_per_step=0.005) as comfyui:
            yield Engine(
                settings={**common, "ONE_KIND": "comfyui", "ONE_URL": comfyui.url},
                taken=lambda: [
                    next(re.finditer(r"fox number \d+", json.dumps(job.graph)))[0] for job in comfyui.engine.submitted
                ],
            )
        return
    if kind == "horde":
        async with LateHorde(seconds=0.02, has_rates=False) as horde:
            yield Engine(
                settings={**common, "ONE_KIND": "ai_horde", "ONE_URL": horde.url, "ONE_KEY": KEY},
                prepare=make_horde_quick,
                taken=lambda: [body["prompt"].partition(" ### ")[0] for body in horde.submitted],
            )
        return
    async with GridServer(seconds=0.05, has_rates=False, charges=True, credit_usd=1000.0) as grid:
        yield Engine(
            settings={**common, "ONE_KIND": "aipowergrid", "ONE_URL": grid.url, "ONE_KEY": "grid_user"},
            prepare=make_grid_quick,
            taken=lambda: [body["prompt"] for body in grid.submitted],
        )


class Loop:
    """One run on one folder."""

    def __init__(
        self, folder: Path, begin: Begin, engine: Engine, receiver: Receiver, *, requests: int, kills: int, seed: int
    ) -> None:
        self._folder, self._begin, self._engine, self._receiver = folder, begin, engine, receiver
        self._requests, self._kills = requests, kills
        self._chance = random.Random(seed)
        self._port = free_port()
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=10.0)
        self._next = 0
        self._allowed = asyncio.Condition()
        self._life = 0  # which one; each has its share of the requests
        size = 512 if "sketch" not in engine.settings["ONE_KIND"] else 64
        self._bodies = [self._body(number, size) for number in range(requests)]
        self._moments = [self._chance.uniform(0.0, LONGEST_LIFE_S) for _ in range(kills)]

    async def run(self) -> Findings:
        programs = [asyncio.create_task(self._program()) for _ in range(PROGRAMS)]
        try:
            for moment in self._moments:
                process = await self._start()
                await asyncio.sleep(moment)
                process.kill()
                await process.wait()
            process = await self._start()
            async with asyncio.timeout(END_WAIT_S + self._requests / 10):
                await asyncio.gather(*programs)
                await self._end()
            process.send_signal(15)
            await process.wait()
        finally:
            for program in programs:
                program.cancel()
            await asyncio.gather(*programs, return_exceptions=True)
            await self._client.aclose()
        findings = self._count()
        findings.kills = len(self._moments)
        return findings

    def _body(self, number: int, size: int) -> dict[str, Any]:
        body = {"prompt": f"fox number {number}", "seed": 1000 + number, "width": size, "height": size}
        body |= {"steps": 4, "backend": "one", "webhook": f"{self._receiver.url}/{number}"}
        if "grid" not in self._engine.settings["ONE_KIND"] and self._chance.random() < 0.4:
            body["denoising_strength"] = 0.5
        return body

    async def _start(self) -> EaselProcess:
        settings = {
            "DATA_DIR": str(self._folder / "data"), "MEDIA_CACHE_DIR": str(self._folder / "data"),
            "WEB": "true", "PORT": str(self._port),
            "PROBE_LOCAL_PORTS": "false", "ALLOW_PRIVATE_BACKENDS": "true", "ALLOW_INSECURE_HTTP": "true",
            "WEBHOOK_URL": f"{self._receiver.url}/owner",
            "MAX_QUEUE_SIZE": "100000", "MAX_WAITING_PER_USER": "100000", "MAX_RUNNING_PER_USER": "10",
            "MAX_RUNNING_JOBS": "10", "GRACEFUL_STOP": "5", **self._engine.settings,
        }  # fmt: skip
        process = self._begin(prepare=self._engine.prepare, **settings)
        async with asyncio.timeout(READY_WAIT_S):
            while True:
                with suppress(httpx.HTTPError):
                    if (await self._client.get("/healthz")).is_success:
                        break
                assert process.returncode is None, (self._folder / "log").read_text()[-2000:]
                await asyncio.sleep(0.02)
        async with self._allowed:
            self._life += 1
            self._allowed.notify_all()
        return process

    async def _program(self) -> None:
        """Ask for one picture after the other, each until it is acknowledged."""
        while (number := self._next) < self._requests:
            self._next += 1
            share = self._requests / (self._kills + 1)
            async with self._allowed:
                await self._allowed.wait_for(lambda wanted=number / share: self._life > wanted)
            await self._ask(number)

    async def _ask(self, number: int) -> None:
        body, headers = self._bodies[number], {"Idempotency-Key": f"request-{number}"}
        while True:
            with suppress(httpx.HTTPError, KeyError):
                if "denoising_strength" in body:
                    picture = await asyncio.to_thread(draw, 64, 64, number, "PNG")
                    body = body | {
                        "init_image": (await self._client.post("/api/uploads", content=picture)).json()["media_id"]
                    }
                answer = await self._client.post("/api/jobs", json=body, headers=headers)
                assert answer.status_code != 400, answer.text
                if answer.status_code == 202:
                    return
            await asyncio.sleep(0.03)

    async def _end(self) -> None:
        """Wait until every job has ended and everybody was told."""
        waits = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        due = "SELECT count(*) FROM webhook_outbox WHERE due_at IS NOT NULL"
        while any(row[0] for sql in (waits, due) for row in self._rows(DATABASE_NAME, sql)):
            await asyncio.sleep(0.05)

    def _rows(self, name: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self._folder / "data" / name, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def _count(self) -> Findings:
        findings = Findings(requests=self._requests)
        sql = "SELECT id, json_extract(origin, '$.request_key'), status, json_extract(error, '$.code') FROM jobs"
        stopped = "SELECT count(*) FROM jobs WHERE interruptions > ? AND json_extract(error, '$.code') = 'interrupted'"
        findings.at_four_stops = self._rows(DATABASE_NAME, stopped, MAX_INTERRUPTIONS)[0][0]
        jobs = {job_id: (key, status, code) for job_id, key, status, code in self._rows(DATABASE_NAME, sql)}
        keys = Counter(key for key, _, _ in jobs.values())
        wanted = [f"request-{number}#0" for number in range(self._requests)]
        findings.lost += [f"{key}: no job" for key in wanted if not keys[key]]
        findings.doubled += [f"{key}: {count} jobs" for key, count in keys.items() if count > 1]
        for key, status, code in jobs.values():
            findings.interrupted += code == "interrupted"
            if status != "done" and code != "interrupted":
                findings.lost.append(f"{key}: {status} {code}")
        ends = Counter(job_id for (job_id,) in self._rows(DATABASE_NAME, "SELECT id FROM ends"))
        findings.doubled += [f"{jobs[job_id][0]}: ended {count} times" for job_id, count in ends.items() if count > 1]
        taken = Counter(self._engine.taken())
        findings.doubled += [f"{prompt}: sent {count} times" for prompt, count in taken.items() if count > 1]
        self._count_pictures(findings)
        self._count_events(findings, jobs)
        return findings

    def _count_pictures(self, findings: Findings) -> None:
        named_sql = "SELECT json_extract(i.value, '$.media_id') FROM jobs AS j, json_each(j.result, '$.images') AS i"
        named = {media_id for (media_id,) in self._rows(DATABASE_NAME, named_sql)}
        kept_sql = "SELECT media_id FROM media WHERE kind = 'output'"
        kept = {media_id for (media_id,) in self._rows(FILE_NAME, kept_sql)}
        findings.orphans += sorted(kept - named)
        findings.lost += [f"picture {media_id}" for media_id in named - kept]

    def _count_events(self, findings: Findings, jobs: dict[str, tuple[str, str, str | None]]) -> None:
        reported = {job_id: [] for job_id in jobs}  # type: dict[str, list[dict[str, Any]]]
        for body in self._receiver.heard["owner"]:
            reported[body["job"]["id"]].append(body)
        for job_id, (key, _, _) in jobs.items():
            number = key.removeprefix("request-").partition("#")[0]
            for who, bodies in (("owner", reported[job_id]), ("hook", self._receiver.heard[number])):
                ids: dict[str, set[str]] = defaultdict(set)
                for body in bodies:
                    ids[body["event"]].add(body["id"])
                ended = ids.keys() - {"queued"}
                findings.repeats += len(bodies) - sum(map(len, ids.values()))
                if "queued" not in ids or len(ended) != 1:
                    findings.untold.append(f"{key}: {who} heard {sorted(ids)}")
                elif bodies[0]["event"] != "queued":
                    findings.disordered.append(f"{key}: {who} heard {[body['event'] for body in bodies]}")
                findings.doubled += [
                    f"{key}: {who} heard {event} as {len(n)}" for event, n in ids.items() if len(n) > 1
                ]


async def kill_loop(kind: str, folder: Path, *, requests: int, kills: int, seed: int) -> Findings:
    """Run one loop in an empty folder and return what was counted."""
    data = folder / "data"
    await lay_database(data / DATABASE_NAME)
    await lay_cache(data)
    with sqlite3.connect(data / DATABASE_NAME) as connection:
        connection.executescript(COUNT_ENDS)
    connection.close()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engine_of(kind))
        receiver = await stack.enter_async_context(Receiver(random.Random(seed)))
        begin = await stack.enter_async_context(processes(folder))
        loop = Loop(folder, begin, engine, receiver, requests=requests, kills=kills, seed=seed)
        return await loop.run()
