"""Easel where the packages of the bus are not installed: everything else holds there too."""

import json
import subprocess
import sys

import pytest

from app.bus import check_bus
from bus.connection import BusMessage
from bus.requests import refused
from bus.wire import CancelMessage, DrawMessage, WrongMessage, read_message
from config import read_settings
from settings.bus import BusSettings
from settings.reading.problems import SettingsError


def test_nothing_of_the_bus_is_loaded_where_none_is_set():
    code = "import sys, main, app.bus, app.doors; print('nats' in sys.modules, 'bus' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_bus_without_its_packages_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr("app.bus.find_spec", lambda name: None)
    with pytest.raises(SettingsError) as refusal:
        check_bus(BusSettings(urls=("nats://me:secret@bus.example",)))
    assert "make run BUS=1" in str(refusal.value)
    assert "secret" not in str(refusal.value)
    check_bus(BusSettings())


@pytest.mark.parametrize(
    ("variables", "servers", "is_local"),
    [
        ({}, (), False),
        ({"NATS": "local"}, ("nats://127.0.0.1:4222",), True),
        ({"NATS": "Local", "NATS_PORT": "4333"}, ("nats://127.0.0.1:4333",), True),
        ({"NATS_URL": "bus.example:4222"}, ("nats://bus.example:4222",), False),
        ({"NATS_URL": "tls://a:4222, tls://b:4222", "NATS": "local"}, ("tls://a:4222", "tls://b:4222"), False),
    ],
)
def test_the_settings_say_which_server(tmp_path, variables, servers, is_local):
    bus = read_settings(tmp_path / ".env", variables).bus
    assert (bus.is_on, bus.is_local) == (bool(variables), is_local)
    assert not bus.is_on or bus.servers == servers


@pytest.mark.parametrize("url", ["http://bus.example", "nats:// space"])
def test_an_address_of_something_else_is_refused(tmp_path, url):
    with pytest.raises(SettingsError, match="NATS_URL"):
        read_settings(tmp_path / ".env", {"NATS_URL": url})


async def test_a_message_has_the_source_s_defaults():
    read = await read_message(DrawMessage, b'{"prompt": "a fox"}')
    assert (read.width, read.height, read.num_inference_steps, read.model) == (1024, 1024, 4, "flux-schnell")
    assert read.notes() == ()


async def test_a_wrong_value_is_told_as_the_api_does():
    with pytest.raises(WrongMessage) as wrong:
        await read_message(CancelMessage, json.dumps({"job_id": 5}).encode())
    assert refused(wrong.value)["field"] == "job_id"


def test_what_a_message_holds_is_not_printed():
    assert "fox" not in repr(BusMessage(data=b"a fox", headers={"x-api-key": "esl_fox"}))
