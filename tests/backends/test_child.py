"""A child process: orders, words on the way, and that nothing it does can harm the parent."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from backends import child as child_module
from backends.child import ROOT, Child, ChildFailed, ChildFailure

MODULE = "tests.backends.child_at_work"
SOON_S = 20.0  # far more than anything here takes; only a test that fails waits that long


@pytest.fixture
async def child():
    child = Child(MODULE)
    yield child
    await child.aclose()


async def until(is_so):
    async with asyncio.timeout(SOON_S):
        while not is_so():
            await asyncio.sleep(0.005)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_nothing_runs_before_the_first_order(child):
    assert child.pid is None


async def test_an_order_goes_there_and_its_answer_comes_back(child):
    reports = []

    async def report(values):
        reports.append(dict(values))

    large = bytes(range(256)) * 4000
    answer = await child.ask({"do": "echo"}, [b"", large], report)
    assert answer.blobs == (b"", large)
    assert answer.values["pid"] == child.pid
    assert reports == [{"half": 0.5}]


async def test_keys_and_tokens_stay_with_the_parent(child, monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    assert "DISCORD_TOKEN" not in (await child.ask({"do": "echo"})).values["names"]


async def test_one_process_takes_one_order_after_the_other(child):
    answers = await asyncio.gather(*(child.ask({"do": "echo"}, [bytes([number])]) for number in range(5)))
    assert [answer.blobs for answer in answers] == [(bytes([number]),) for number in range(5)]
    assert len({answer.values["pid"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("order", "failure", "words"),
    [
        ("refuse", ChildFailure.REFUSED, "That is no picture."),
        ("run out of memory", ChildFailure.MEMORY, "900 MB"),
        ("go wrong", ChildFailure.FAULT, "KeyError"),
        ("abort", ChildFailure.CRASHED, "ended with -6"),
    ],
)
async def test_what_goes_wrong_there_is_an_error_here_and_the_next_order_works(child, order, failure, words):
    with pytest.raises(ChildFailed, match=words) as caught:
        await child.ask({"do": order})
    assert caught.value.failure is failure
    assert (await child.ask({"do": "echo"}, [b"again"])).blobs == (b"again",)


@pytest.mark.parametrize(
    ("counts", "failure"),
    [
        ((3, 4), ChildFailure.MEMORY),
        ((None, None), ChildFailure.MEMORY),
        ((3, 3), ChildFailure.CRASHED),
    ],
    ids=["the system", "nobody knows who", "somebody"],
)
async def test_who_ended_it_says_whether_memory_ran_out(child, monkeypatch, counts, failure):
    left = list(counts)
    monkeypatch.setattr(child_module, "ended_for_memory", lambda: left.pop(0))
    with pytest.raises(ChildFailed, match="ended with -9") as caught:
        await child.ask({"do": "be killed"})
    assert caught.value.failure is failure
    monkeypatch.undo()
    assert (await child.ask({"do": "echo"}, [b"again"])).blobs == (b"again",)


async def test_a_crash_leaves_its_last_words_in_the_log(child, caplog):
    with pytest.raises(ChildFailed):
        await child.ask({"do": "abort"})
    assert "terminate called" in caplog.text


async def test_a_process_that_was_killed_between_two_orders_is_started_again(child):
    first = (await child.ask({"do": "echo"})).values["pid"]
    os.kill(first, signal.SIGKILL)
    await until(lambda: not is_there(first) or not child._process.is_alive)
    assert (await child.ask({"do": "echo"})).values["pid"] != first


async def test_a_process_whose_death_nobody_has_noticed_yet_costs_no_order(child):
    for _ in range(5):
        pid = (await child.ask({"do": "echo"})).values["pid"]
        os.kill(pid, signal.SIGKILL)
        assert (await child.ask({"do": "echo"})).values["pid"] != pid


async def test_an_order_that_stands_still_is_ended():
    child = Child(MODULE, patience_s=0.3)
    try:
        with pytest.raises(ChildFailed) as caught:
            await child.ask({"do": "stand still"})
        assert caught.value.failure is ChildFailure.HUNG
        assert child.pid is None
    finally:
        await child.aclose()


async def test_beats_are_no_words_on_the_work():
    child = Child(MODULE, patience_s=0.3, variables={"BEAT_S": "0.01"})
    try:
        with pytest.raises(ChildFailed, match="no word for 0 s") as caught:
            await child.ask({"do": "stand still"})
        assert caught.value.failure is ChildFailure.HUNG
    finally:
        await child.aclose()


async def test_without_any_beat_an_order_is_ended_long_before_its_patience_is():
    child = Child(MODULE, patience_s=3600, silence_s=0.3)
    try:
        with pytest.raises(ChildFailed) as caught:
            await child.ask({"do": "stand still"})
        assert caught.value.failure is ChildFailure.HUNG
    finally:
        await child.aclose()


async def test_beats_keep_an_order_alive_that_has_nothing_to_say():
    child = Child(MODULE, silence_s=5, variables={"BEAT_S": "0.01"})
    try:
        seen = []

        async def report(values):
            seen.append(dict(values))

        await child.ask({"do": "step slowly", "seconds": 0.02}, report=report)
        assert seen == [{"step": 0}, {"step": 1}, {"step": 2}]
    finally:
        await child.aclose()


async def test_patience_is_asked_anew_after_each_word():
    asked = []

    def patience():
        asked.append(True)
        return 20.0

    child = Child(MODULE, patience_s=patience)
    try:
        await child.ask({"do": "step slowly", "seconds": 0})
        assert len(asked) == 4  # at the start, and after each of three words
    finally:
        await child.aclose()


async def test_bytes_come_with_a_word_on_the_way():
    seen = []

    async def report(values):
        seen.append(dict(values))

    child = Child(MODULE, variables={"TURN": "left"})
    try:
        answer = await child.ask({"do": "show"}, report=report)
        assert seen == [{"step": 1, "blobs": (b"a preview",)}]
        assert answer.values["turn"] == "left"
    finally:
        await child.aclose()


async def test_let_to_rest_it_gives_its_memory_back_and_starts_again_when_asked(child):
    pid = (await child.ask({"do": "echo"})).values["pid"]
    await child.rest()
    assert (child.pid, is_there(pid)) == (None, False)
    await child.rest()
    assert (await child.ask({"do": "echo"})).values["pid"] != pid


async def test_a_cancelled_order_stops_and_the_process_goes_on(child):
    started = asyncio.Event()

    async def report(_):
        started.set()

    order = asyncio.create_task(child.ask({"do": "go on"}, report=report))
    await started.wait()
    pid = child.pid
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    assert (await child.ask({"do": "echo"}, [b"next"])).blobs == (b"next",)
    assert child.pid == pid


async def test_a_cancelled_order_that_does_not_stop_is_ended(child, monkeypatch):
    monkeypatch.setattr("backends.child.STOP_WAIT_S", 0.05)
    await child.ask({"do": "echo"})
    pid = child.pid
    order = asyncio.create_task(child.ask({"do": "stand still"}))
    await asyncio.sleep(0.02)
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    assert not is_there(pid)


async def test_without_work_it_ends_and_gives_its_memory_back():
    child = Child(MODULE, idle_s=0.02)
    try:
        pid = (await child.ask({"do": "echo"})).values["pid"]
        await until(lambda: not is_there(pid))
        assert child.pid is None
        assert (await child.ask({"do": "echo"})).values["pid"] != pid
    finally:
        await child.aclose()


async def test_closed_it_leaves_no_process(child):
    pid = (await child.ask({"do": "echo"})).values["pid"]
    await child.aclose()
    assert not is_there(pid)
    await child.aclose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
async def test_what_a_library_forked_there_holds_nobody_up_when_it_dies():
    child = Child(MODULE, patience_s=3600, silence_s=0.3)
    fork = (await child.ask({"do": "leave a fork"})).values["fork"]
    try:
        async with asyncio.timeout(SOON_S):
            with pytest.raises(ChildFailed):
                await child.ask({"do": "be killed"})
            assert (await child.ask({"do": "echo"})).values["pid"] == child.pid
    finally:
        await child.aclose()
    await until(lambda: not is_there(fork) or _is_zombie(fork))


PARENT = f"""
import asyncio, os
from backends.child import Child
async def main():
    child = Child({MODULE!r})
    print((await child.ask({{"do": "echo"}})).values["pid"], flush=True)
    await child.ask({{"do": "go on"}})
asyncio.run(main())
"""


async def test_it_ends_when_its_parent_is_gone():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=ROOT)
    with parent:
        pid = int(await asyncio.to_thread(parent.stdout.readline))
        assert is_there(pid)
        parent.kill()
    await until(lambda: not is_there(pid) or _is_zombie(pid))


def _is_zombie(pid):
    """Whoever inherits a process here may not wait for it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
