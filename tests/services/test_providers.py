"""RunPod's and Vast.ai's own APIs, against stand-ins on real sockets: what is read, asked and said when it fails."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from services.rentals import providers
from services.rentals.providers import GpuProvider, Machine, machine_at
from services.rentals.runpod import RunPod
from services.rentals.vast import Vast
from tests.engines.listener import Fault
from tests.engines.rented_server import INSTANCE_ID, KEY, POD_ID, RunPodServer, VastServer, instance, pod

PROXY = "https://abc123-7860.proxy.runpod.net"
Server = RunPodServer | VastServer


@pytest.fixture(params=["runpod", "vast"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Server, GpuProvider, str]]:
    """One provider, its client, and the id of the one machine there."""
    if request.param == "runpod":
        async with RunPodServer(pod()) as server:
            yield server, RunPod(KEY, server.api), POD_ID
    else:
        async with VastServer(instance()) as server:
            yield server, Vast(KEY, server.api), str(INSTANCE_ID)


async def test_a_pod_is_read_with_price_gpu_and_addresses():
    async with RunPodServer(pod(), pod("def456", desiredStatus="EXITED", gpu=None, ports=None, publicIp=None),
                            pod("gone", desiredStatus="TERMINATED")) as server:  # fmt: skip
        first, second = await RunPod(KEY, server.api).list()
    assert first == Machine(
        provider="runpod", id="abc123", name="forge", gpu="RTX 3090", state="running", usd_per_hour=0.33,
        urls=(PROXY, "http://203.0.113.7:10341", "http://203.0.113.7:10342"),
    )  # fmt: skip
    assert (second.id, second.state, second.gpu, second.urls) == ("def456", "stopped", "NVIDIA GeForce RTX 3090", ())


async def test_a_pod_without_a_savings_plan_costs_its_plain_price():
    async with RunPodServer(pod(adjustedCostPerHr=None)) as server:
        [machine] = await RunPod(KEY, server.api).list()
    assert machine.usd_per_hour == 0.34


async def test_an_instance_is_read_with_price_gpu_and_addresses():
    async with VastServer(instance()) as server:
        [machine] = await Vast(KEY, server.api).list()
    assert (machine.id, machine.name, machine.gpu) == ("312", "312", "2× RTX 4090")
    assert (machine.state, machine.usd_per_hour) == ("running", 0.8112)
    assert "http://192.0.2.45:40123" in machine.urls


async def test_ports_as_a_bare_list_say_no_address():
    async with VastServer(instance(ports=[8080, 8081], label="forge")) as server:
        [machine] = await Vast(KEY, server.api).list()
    assert (machine.name, machine.urls) == ("forge", ())


@pytest.mark.parametrize(
    ("actual", "intended", "state"),
    [("running", "running", "running"), ("running", None, "running"), ("running", "stopped", "stopped"),
     ("stopped", "stopped", "stopped"), ("stopped", "running", "starting"), (None, "running", "starting"),
     ("loading", "running", "starting"), ("exited", "running", "unknown"), ("exited", None, "stopped"),
     ("frozen", "frozen", "unknown"), ("offline", "running", "unknown")],
)  # fmt: skip
async def test_vast_states_are_told_in_our_words(actual: str | None, intended: str | None, state: str):
    async with VastServer(instance(actual_status=actual, intended_status=intended)) as server:
        [machine] = await Vast(KEY, server.api).list()
    assert machine.state == state


async def test_stop_and_start_change_what_is_listed(both: tuple[Server, GpuProvider, str]):
    _, provider, machine_id = both
    await provider.stop(machine_id)
    [machine] = await provider.list()
    assert machine.state == "stopped"
    await provider.start(machine_id)
    [machine] = await provider.list()
    assert machine.state in ("running", "starting")


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("status", status=401), BackendAuthError, "refuses the API key"),
        (Fault("status", status=403), BackendAuthError, "refuses the API key"),
        (Fault("status", status=404), RequestRejected, "does not know this machine"),
        (Fault("status", status=429, body="API requests too frequent"), RateLimited, "slow down"),
        (Fault("status", status=400, body={"error": "bad"}), BackendError, "does not accept"),
        (Fault("status", status=500), BackendUnavailable, "failed inside"),
        (Fault("html", status=502), BackendUnavailable, "failed inside"),
        (Fault("status", status=500, body={"error": "There are not enough free GPUs on the host machine"}),
         BackendUnavailable, "no free GPU"),
        (Fault("status", status=302, headers={"Location": "https://elsewhere.example/"}), BackendError, "accept"),
        (Fault("reset"), BackendUnavailable, "lost the connection"),
    ],
)  # fmt: skip
async def test_each_failure_is_told_in_words_without_the_body(
    both: tuple[Server, GpuProvider, str], fault: Fault, kind: type[GenerationError], words: str
):
    server, provider, machine_id = both
    for ask in (provider.list(), provider.start(machine_id), provider.stop(machine_id)):
        server.faults = [fault]
        with pytest.raises(kind, match=words) as caught:
            await ask
        assert "127.0.0.1" not in str(caught.value)
        assert "bad" not in caught.value.detail
        assert caught.value.hint
    assert not server.faults


async def test_a_rate_limit_says_when_to_come_back(both: tuple[Server, GpuProvider, str]):
    server, provider, _ = both
    for headers, after_s in (({"Retry-After": "7"}, 7.0), ({}, 30.0)):
        server.faults = [Fault("status", status=429, headers=headers)]
        with pytest.raises(RateLimited) as caught:
            await provider.list()
        assert caught.value.retry_after == after_s


async def test_a_change_without_an_answer_may_have_been_done(
    both: tuple[Server, GpuProvider, str], monkeypatch: pytest.MonkeyPatch
):
    server, provider, machine_id = both
    monkeypatch.setattr(providers, "TIMEOUT_S", 0.03)
    server.faults = [Fault("hang"), Fault("hang")]
    with pytest.raises(BackendUnavailable, match="did not answer in time") as caught:
        await provider.stop(machine_id)
    assert "/gpu show" in caught.value.hint
    with pytest.raises(BackendUnavailable, match="did not answer in time") as caught:
        await provider.list()
    assert "again" in caught.value.hint


@pytest.mark.parametrize("body", ["", "null", "{", "{}", '[{"name": 1}]', '{"instances": [{"id": "x"}]}', "<html>"])
async def test_nonsense_is_an_answer_that_cannot_be_read(both: tuple[Server, GpuProvider, str], body: str):
    server, provider, _ = both
    server.faults = [Fault("status", status=200, body=body)]
    with pytest.raises(UnexpectedAnswer, match="cannot be read"):
        await provider.list()


@pytest.mark.parametrize(
    ("body", "words"),
    [({"success": False, "error": "resources_unavailable", "msg": "x"}, "no free GPU"),
     ({"success": False, "msg": "x"}, "does not accept"), ({}, "cannot be read")],
)  # fmt: skip
async def test_vast_says_no_inside_a_200(body: dict[str, Any], words: str):
    async with VastServer(instance()) as server:
        server.faults = [Fault("status", status=200, body=body)]
        with pytest.raises(BackendError, match=words):
            await Vast(KEY, server.api).start("312")


async def test_nobody_there_is_a_provider_that_cannot_be_reached():
    async with RunPodServer() as server:
        closed = server.api
    with pytest.raises(BackendGone, match="RunPod"):
        await RunPod(KEY, closed).list()


@pytest.mark.parametrize("key", [KEY, "wrong-s3cret", "two\nlines", "schlüssel"])
async def test_the_key_is_in_no_message_and_no_log(key: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    reply = ""
    async with RunPodServer(pod()) as server:
        try:
            reply = str(await RunPod(key, server.api).list())
        except GenerationError as error:
            reply = f"{error} {error.hint}"
    assert reply
    for secret in (key, "pod-env-secret"):
        assert secret not in reply
        assert secret not in caplog.text


def machine(provider: str, machine_id: str, *urls: str) -> Machine:
    return Machine(
        provider=provider, id=machine_id, name="", gpu="", state="running", usd_per_hour=None, urls=urls
    )  # fmt: skip


POD, OTHER = machine("runpod", "abc123"), machine("runpod", "abc", "http://203.0.113.7:10342")
BOX, STOPPED = machine("vast", "312", "http://192.0.2.45:40123"), machine("vast", "313")


@pytest.mark.parametrize(
    ("url", "known_id", "found"),
    [
        (PROXY, "", POD),
        ("https://ABC123-3000.proxy.runpod.net/", "", POD),
        ("https://abc1-7860.proxy.runpod.net", "abc123", None),
        ("https://abc123-7860.proxy.runpod.net.evil.example", "", None),
        ("http://203.0.113.7:10342", "", OTHER),
        ("http://192.0.2.45:40123/", "", BOX),
        ("https://192.0.2.45:40123", "", BOX),
        ("http://192.0.2.45:40124", "", None),
        ("http://192.0.2.46:40125", "313", STOPPED),
        ("http://192.0.2.46:40125", "", None),
        ("http://192.0.2.45:99999", "", None),
        ("https://some-words.trycloudflare.com", "", None),
        ("", "", None),
    ],
)
def test_a_machine_is_found_by_the_address_of_its_engine(url: str, known_id: str, found: Machine | None):
    assert machine_at(url, (POD, OTHER, BOX, STOPPED), known_id) == found


@pytest.mark.parametrize("provider", [GpuProvider, RunPod, Vast])
def test_a_provider_lists_starts_and_stops_and_does_nothing_else(provider: type[GpuProvider]):
    does = {name for name in dir(provider) if not name.startswith("_") and callable(getattr(provider, name))}
    assert does == {"list", "start", "stop"}
