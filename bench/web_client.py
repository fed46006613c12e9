"""The crowd at the HTTP door, as a process of its own: `python -m bench.web_client URL LISTENERS SUBMITTERS EACH`.

Prints one JSON object: how long each submit took to be answered, how many events came, and for how many jobs.
"""

import asyncio
import json
import sys
import time

import httpx

DONE = b'"status":"done"'
TIMEOUT_S = 120.0


async def listen(client: httpx.AsyncClient, is_up: asyncio.Event, counts: list[int], wanted: int) -> None:
    """Read events until every job has been seen done."""
    done = 0
    async with client.stream("GET", "/events") as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            is_up.set()
            if line.startswith("data: {"):
                counts.append(1)
            if DONE in line.encode():
                done += 1
                if done >= wanted:
                    return


async def submit(client: httpx.AsyncClient, number: int, each: int, taken: list[float]) -> None:
    for turn in range(each):
        began = time.perf_counter()
        body = {"prompt": f"fox {number} {turn}", "width": 64, "height": 64, "steps": 1}
        response = await client.post("/api/jobs", json=body)
        response.raise_for_status()
        taken.append(time.perf_counter() - began)


async def main(url: str, listeners: int, submitters: int, each: int) -> dict[str, object]:
    limits = httpx.Limits(max_connections=None)
    wanted = submitters * each
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, limits=limits) as client:
        ups = [asyncio.Event() for _ in range(listeners)]
        counts: list[int] = []
        readers = [asyncio.create_task(listen(client, up, counts, wanted)) for up in ups]
        await asyncio.gather(*(up.wait() for up in ups))
        taken: list[float] = []
        began = time.perf_counter()
        await asyncio.gather(*(submit(client, number, each, taken) for number in range(submitters)))
        submitted_s = time.perf_counter() - began
        await asyncio.gather(*readers)
        return {
            "taken": taken,
            "events": len(counts),
            "submitted_s": submitted_s,
            "seen_s": time.perf_counter() - began,
        }


if __name__ == "__main__":
    reply = asyncio.run(main(sys.argv[1], *(int(word) for word in sys.argv[2:5])))
    print(json.dumps(reply))
