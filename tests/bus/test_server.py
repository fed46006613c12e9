"""The server that Easel starts itself, and signing in at others."""

import os
import socket
import ssl
import subprocess

import pytest

from bus.server import config_text, find_server
from settings.bus import BusSettings
from tests.bus.conftest import SMALL, NatsServer, caller_at, easel_on, picture_in
from tests.easel_process import free_port, processes
from tests.waiting import until

pytest.importorskip("nats", reason="needs requirements-bus.txt: make test-bus")
LOCAL = {"NATS": "local", "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0", "PORT": "0"}


def test_a_server_is_found_that_is_new_enough():
    program = find_server()
    assert os.access(program.path, os.X_OK)
    assert tuple(map(int, program.version.split(".")[:2])) >= (2, 11)


async def test_a_server_of_its_own_is_started_and_ends_with_easel(tmp_path):
    port = free_port()
    async with processes(tmp_path) as begin:
        easel = begin("start", WEB="true", NATS_PORT=str(port), **LOCAL)
        async with caller_at(f"nats://127.0.0.1:{port}") as caller:
            assert picture_in(await caller.ask("request", prompt="a fox", **SMALL)).size == (64, 64)
        easel.send_signal(15)
        assert await easel.wait() in (0, 130, 143)
    await until(lambda: not is_open(port))


def is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


async def test_a_server_outlives_a_crash_of_easel_and_is_taken_over(tmp_path):
    port = free_port()
    async with processes(tmp_path) as begin:
        first = begin("start", log="first", WEB="true", NATS_PORT=str(port), **LOCAL)
        async with caller_at(f"nats://127.0.0.1:{port}") as caller:
            await caller.send("model_info", b"")
            pid = int((tmp_path / "data" / "nats" / "server.pid").read_text())
            first.kill()
            await first.wait()
            assert is_open(port)
            second = begin("start", log="second", WEB="true", NATS_PORT=str(port), **LOCAL)
            assert picture_in(await caller.ask("request", prompt="a fox", **SMALL))
            assert int((tmp_path / "data" / "nats" / "server.pid").read_text()) == pid
            second.send_signal(15)
            await second.wait()
    await until(lambda: not is_open(port))


async def test_a_server_of_its_own_that_is_killed_is_started_again(tmp_path):
    port = free_port()
    async with processes(tmp_path) as begin:
        easel = begin("start", WEB="true", NATS_PORT=str(port), **LOCAL)
        async with caller_at(f"nats://127.0.0.1:{port}") as caller:
            await caller.send("model_info", b"")
            os.kill(int((tmp_path / "data" / "nats" / "server.pid").read_text()), 9)
            assert picture_in(await caller.insist(prompt="a fox", request_id="one", **SMALL))
        easel.send_signal(15)
        await easel.wait()


def test_the_configuration_keeps_others_out_and_what_is_stored(tmp_path):
    settings = BusSettings(mode="local", user="easel", password='p"w', port=4333)
    text = config_text(settings, "easel-1", tmp_path)
    assert 'listen: "127.0.0.1:4333"' in text
    assert "sync_interval: always" in text
    assert r'authorization { user: "easel", password: "p\"w" }' in text


async def test_an_nkey_signs_in(tmp_path):
    import nkeys

    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    server = NatsServer(tmp_path / "nats", f"authorization {{ users: [ {{ nkey: {public} }} ] }}")
    await server.start()
    try:
        async with easel_on(tmp_path / "data", server.url, NATS_NKEY=seed.decode()), \
                caller_at(server.url, nkeys_seed_str=seed.decode()) as caller:  # fmt: skip
            assert picture_in(await caller.ask("request", prompt="a fox", **SMALL))
    finally:
        server.kill()


async def test_tls_and_a_password(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(make, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    tls = f'tls {{ cert_file: "{cert}", key_file: "{key}" }}\nauthorization {{ user: easel, password: sesame }}'
    server = NatsServer(tmp_path / "nats", tls)
    await server.start()
    url = server.url.replace("nats://", "tls://")
    try:
        signed = {"NATS_USER": "easel", "NATS_PASSWORD": "sesame", "NATS_CA": str(cert)}
        context = ssl.create_default_context(cafile=str(cert))
        async with easel_on(tmp_path / "data", url, **signed), \
                caller_at(url, tls=context, user="easel", password="sesame") as caller:  # fmt: skip
            assert picture_in(await caller.ask("request", prompt="a fox", **SMALL))
    finally:
        server.kill()
