"""Measure Easel's cost over an engine's own time: each stand-in asked directly, and through backend and queue.

Both take turns. The direct way is what a patient script would do: the engine's own calls, the picture fetched.
"""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx

from app.build import Easel
from backends.ai_horde.backend import HordePace
from bench.report import Figure
from bench.world import running_easel, stand_in
from generation.job import Job, JobStatus, Origin
from generation.request import Draft

GROUP = "engines"
SECONDS = 0.5
SIDE_PX, STEPS = 512, 4
OVERHEAD_S = 0.1
TIMES, TIMES_HOSTED = 5, 3  # the hosted ones allow few calls a minute
LOOK_S, HORDE_LOOK_S = 0.01, 0.1  # between two looks at whether it is done; a Horde allows 10 a second
PROMPT = "a red fox"
HORDE_PAUSE_S = HordePace().near_s  # Easel asks a Horde less often than it allows: it notices up to that much later
GRID_KEY, HORDE_KEY = "grid_user", "0000000000"


@dataclass(frozen=True, kw_only=True)
class Way:
    """An engine, its stand-in, and how to ask it without Easel. `job` is one that Easel has drawn there."""

    name: str
    module: str
    arguments: tuple[str, ...]
    ask: Callable[[httpx.AsyncClient, Job], Awaitable[bytes]]
    times: int = TIMES
    limit_s: float = OVERHEAD_S
    remark: str = ""


async def overhead() -> list[Figure]:
    """One picture after the other, in turns."""
    async with AsyncExitStack() as stack:
        urls = {way.name: await stack.enter_async_context(stand_in(way.module, *way.arguments)) for way in WAYS}
        values = {f"{name.upper()}_URL": url for name, url in urls.items()}
        values |= {"AIPOWERGRID_KEY": GRID_KEY, "AI_HORDE_KEY": HORDE_KEY}
        easel = await stack.enter_async_context(running_easel(BACKENDS=",".join((*urls, "sketch")), **values))
        figures = []
        for way in WAYS:
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=urls[way.name], timeout=60))
            figures.append(await _measure(easel, way, client))
        figures.append(await _measure_sketch(easel))
    return figures


async def _measure(easel: Easel, way: Way, client: httpx.AsyncClient) -> Figure:
    warm_up = await _draw(easel, way.name, 0)
    direct, ours = [], []
    for number in range(way.times):
        began = time.perf_counter()
        assert await way.ask(client, warm_up)
        direct.append(time.perf_counter() - began)
        began = time.perf_counter()
        await _draw(easel, way.name, number + 1)
        ours.append(time.perf_counter() - began)
    return _figure(way.name, direct, ours, way.limit_s, way.remark)


async def _measure_sketch(easel: Easel) -> Figure:
    """The engine inside Easel has no server: its directly asked self is the backend alone."""
    entry = easel.registry.get("sketch")
    assert entry
    request = (await _draw(easel, "sketch", 0)).drawn
    direct, ours = [], []

    async def report(_: object) -> None:
        pass

    for number in range(TIMES):
        began = time.perf_counter()
        await entry.backend.generate(replace(request, seed=number + 1), report)
        direct.append(time.perf_counter() - began)
        began = time.perf_counter()
        await _draw(easel, "sketch", number + 1)
        ours.append(time.perf_counter() - began)
    return _figure("sketch", direct, ours, OVERHEAD_S, "")


async def _draw(easel: Easel, engine: str, seed: int) -> Job:
    draft = Draft(prompt=PROMPT, backend=engine, width=SIDE_PX, height=SIDE_PX, steps=STEPS, seed=seed)
    view = await easel.services.generation.submit(draft, Origin(door="bench", user_id="ann"), fresh=True)
    views = [view async for view in easel.services.generation.watch(view.job.id)]
    view = views[-1]
    assert view.job.status is JobStatus.DONE, (engine, view.job.error)
    return view.job


async def _ask_a1111(client: httpx.AsyncClient, _: Job) -> bytes:
    body = {"prompt": PROMPT, "steps": STEPS, "width": SIDE_PX, "height": SIDE_PX}
    answer = await client.post("/sdapi/v1/txt2img", json=body)
    return str(answer.json()["images"][0]).encode()


async def _ask_comfyui(client: httpx.AsyncClient, drawn: Job) -> bytes:
    """Post the graph that Easel made, with another seed, and look at the history until it is there."""
    history = (await client.get(f"/history/{drawn.remote_id}")).json()
    graph = history[str(drawn.remote_id)]["prompt"][2]
    for node in graph.values():
        for name in {"seed", "noise_seed"} & node["inputs"].keys():
            node["inputs"][name] = random.getrandbits(32)
    prompt_id = (await client.post("/prompt", json={"prompt": graph})).json()["prompt_id"]
    found = await _look_until(client, f"/history/{prompt_id}", bool, LOOK_S)
    outputs = found[prompt_id]["outputs"].values()
    image = next(image for output in outputs for image in output.get("images", ()))
    return (await client.get("/view", params=image)).content


async def _ask_gradio(client: httpx.AsyncClient, _: Job) -> bytes:
    """Join the queue with the form as the page shows it, follow the stream to its end, fetch the picture."""
    config = (await client.get("/config")).json()
    prefix = config.get("api_prefix") or ""
    components = {item["id"]: item["props"] for item in config["components"]}
    call = next(item for item in config["dependencies"] if item["api_name"] == "infer")
    reply = {"Prompt": PROMPT, "Width": SIDE_PX, "Height": SIDE_PX, "Number of inference steps": STEPS}
    data = [reply.get(components[number].get("label"), components[number].get("value")) for number in call["inputs"]]
    session = f"{random.getrandbits(40):x}"
    body = {"data": data, "fn_index": call["id"], "session_hash": session}
    (await client.post(f"{prefix}/queue/join", json=body)).raise_for_status()
    output: dict[str, Any] = {}
    async with client.stream("GET", f"{prefix}/queue/data", params={"session_hash": session}) as stream:
        async for line in stream.aiter_lines():
            message = json.loads(line.removeprefix("data: ")) if line else {}
            if message.get("msg") == "process_completed":
                output = message["output"]
                break
    first = output["data"][0]
    file = first[0]["image"] if isinstance(first, list) else first
    return (await client.get(f"{prefix}/file={file['path']}")).content


async def _ask_horde(client: httpx.AsyncClient, drawn: Job) -> bytes:
    params = {"width": SIDE_PX, "height": SIDE_PX, "steps": STEPS, "n": 1, "seed": "1"}
    body = {"prompt": PROMPT, "params": params, "models": ["stable_diffusion"]}
    answer = await client.post("/api/v2/generate/async", json=body, headers={"apikey": HORDE_KEY})
    job_id = answer.json()["id"]
    await _look_until(client, f"/api/v2/generate/check/{job_id}", lambda check: check["done"], HORDE_LOOK_S)
    status = (await client.get(f"/api/v2/generate/status/{job_id}")).json()
    return (await client.get(status["generations"][0]["img"])).content


async def _ask_grid(client: httpx.AsyncClient, drawn: Job) -> bytes:
    model = drawn.drawn.model or (await client.get("/v1/status/models")).json()[0]["name"]
    body = {"prompt": PROMPT, "size": f"{SIDE_PX}x{SIDE_PX}", "n": 1, "model": model}
    headers = {"Authorization": f"Bearer {GRID_KEY}"}
    answer = (await client.post("/v1/images/generations", json=body, headers=headers)).json()
    return (await client.get(answer["data"][0]["url"])).content


async def _look_until(client: httpx.AsyncClient, path: str, is_done: Callable[[Any], bool], every_s: float) -> Any:
    while True:
        answer = (await client.get(path)).json()
        if is_done(answer):
            return answer
        await asyncio.sleep(every_s)


def _engine(name: str, module: str, seconds: float, ask: Callable[..., Awaitable[bytes]], **more: Any) -> Way:
    arguments = ("--seconds", str(seconds))
    return Way(name=name, module=f"tests.engines.{module}", arguments=arguments, ask=ask, **more)


WAYS = (
    _engine("a1111", "a1111_server", SECONDS, _ask_a1111),
    _engine("comfyui", "comfyui_server", SECONDS * 20 / STEPS, _ask_comfyui),  # it is told per 20 steps
    _engine("gradio_flux", "gradio_app", SECONDS / STEPS, _ask_gradio),
    _engine(
        "ai_horde",
        "horde_server",
        SECONDS,
        _ask_horde,
        times=TIMES_HOSTED,
        limit_s=HORDE_PAUSE_S + OVERHEAD_S,
        remark=f"; one look each {HORDE_PAUSE_S:g} s",
    ),
    _engine("aipowergrid", "grid_server", SECONDS, _ask_grid, times=TIMES_HOSTED),
)


def _figure(name: str, direct: list[float], ours: list[float], limit_s: float, remark: str) -> Figure:
    over = statistics.median(ours) - statistics.median(direct)
    beside = f"{statistics.median(ours):.3f} s in all; asked directly: {statistics.median(direct):.3f} s"
    return Figure(
        group=GROUP,
        name=f"overhead over {name}",
        value=over * 1000,
        unit="ms",
        target=f"< {limit_s * 1000:g}",
        is_met=over < limit_s,
        beside=f"{beside}{remark}",
    )
