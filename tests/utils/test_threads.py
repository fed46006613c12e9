"""Codecs run beside the loop, in two threads that can be ended and made again."""

import asyncio
import threading

import pytest

from utils.threads import LARGE_BYTES, THREADS, close_threads, read_apart, run_in_thread


async def test_work_runs_in_another_thread_and_its_result_comes_back():
    name, value = await run_in_thread(lambda n, *, by: (threading.current_thread().name, n * by), 6, by=7)
    assert name.startswith("codec")
    assert value == 42


@pytest.mark.parametrize(("size", "is_apart"), [(LARGE_BYTES, False), (LARGE_BYTES + 1, True)])
async def test_only_what_is_large_is_read_in_another_thread(size, is_apart):
    name, length = await read_apart(lambda data: (threading.current_thread().name, len(data)), bytes(size))
    assert (name.startswith("codec"), length) == (is_apart, size)


async def test_an_error_comes_back_too():
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 / 0)


async def test_no_more_than_two_run_at_once():
    gate, running, most = threading.Event(), [], []

    def work():
        running.append(1)
        most.append(len(running))
        gate.wait(5)
        running.pop()

    tasks = [asyncio.create_task(run_in_thread(work)) for _ in range(4)]
    while len(most) < THREADS:
        await asyncio.sleep(0.001)
    gate.set()
    await asyncio.gather(*tasks)
    assert max(most) <= THREADS


async def test_after_closing_new_threads_are_made():
    close_threads()
    close_threads()
    assert await run_in_thread(int, "3") == 3
