"""The guarded transport on real sockets: only checked addresses are ever connected to."""

import socket
import ssl
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from backends.base import BackendConfig
from generation.errors import BackendError
from net.guard import guarded_transport, trusted_authorities
from tests.net.servers import Tls, make_certificate, serve

USER = BackendConfig(name="u", kind="a1111", allow_private=False, allow_insecure_http=True)
OWNER = BackendConfig(name="o", kind="a1111")


class Dns:
    """Answers from a table; a list of answers is given out one after the other."""

    def __init__(self, *answers: tuple[str, ...] | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def hello(request: web.Request) -> web.Response:
    return web.json_response({"host": request.headers["Host"]})


async def test_connects_to_the_checked_address_and_keeps_the_name():
    dns = Dns(("127.0.0.1",))
    async with (
        serve({"/": hello}) as port,
        httpx.AsyncClient(transport=guarded_transport(OWNER.policy, resolver=dns)) as client,
    ):
        answer = await client.get(f"http://gpu.example:{port}/")
    assert answer.json() == {"host": f"gpu.example:{port}"}
    assert dns.asked == 1


@pytest.mark.parametrize("answer", [("127.0.0.1",), ("8.8.8.8", "::1"), ("169.254.169.254",)])
async def test_forbidden_dns_answer_is_refused_before_any_connection(answer):
    hits = []

    async def note(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response()

    async with (
        serve({"/": note}) as port,
        httpx.AsyncClient(transport=guarded_transport(USER.policy, resolver=Dns(answer))) as client,
    ):
        with pytest.raises(BackendError) as refused:
            await client.get(f"http://gpu.example:{port}/")
    assert not hits
    assert "refused" in refused.value.user_message
    assert not refused.value.retryable
    assert answer[0] not in refused.value.user_message


async def test_name_that_answers_differently_later_is_checked_again():
    async def closing(request: web.Request) -> web.Response:
        return web.Response(headers={"Connection": "close"})

    dns = Dns(("127.0.0.1",), ("169.254.169.254",))
    async with (
        serve({"/": closing}) as port,
        httpx.AsyncClient(transport=guarded_transport(OWNER.policy, resolver=dns)) as client,
    ):
        assert (await client.get(f"http://gpu.example:{port}/")).status_code == 200
        with pytest.raises(BackendError, match="leads to"):
            await client.get(f"http://gpu.example:{port}/")


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://2130706433/"])
async def test_forbidden_literal_is_refused_without_dns(url):
    dns = Dns(("8.8.8.8",))
    async with httpx.AsyncClient(transport=guarded_transport(USER.policy, resolver=dns)) as client:
        with pytest.raises(BackendError):
            await client.get(url)
    assert dns.asked == 0


async def test_second_address_is_tried_when_the_first_refuses():
    dns = Dns(("127.0.0.2", "127.0.0.1"))
    async with (
        serve({"/": hello}) as port,
        httpx.AsyncClient(transport=guarded_transport(OWNER.policy, resolver=dns)) as client,
    ):
        assert (await client.get(f"http://gpu.example:{port}/")).status_code == 200


async def test_redirects_are_not_followed():
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/")

    async with serve({"/": away}) as port, httpx.AsyncClient(transport=guarded_transport(OWNER.policy)) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 302
        with pytest.raises(BackendError, match="never allowed"):
            await client.get(f"http://127.0.0.1:{port}/", follow_redirects=True)


@pytest.mark.parametrize("fault", [socket.gaierror("no"), TimeoutError()])
async def test_dns_trouble_is_a_connection_error(fault):
    async with httpx.AsyncClient(transport=guarded_transport(OWNER.policy, resolver=Dns(fault))) as client:
        with pytest.raises(httpx.TransportError):
            await client.get("http://gpu.example/")


async def test_tls_is_checked_against_the_name_not_the_address():
    tls = make_certificate("gpu.example")
    dns = Dns(("127.0.0.1",))
    async with serve({"/": hello}, tls=tls) as port:
        async with httpx.AsyncClient(transport=_trusting(tls, dns)) as client:
            assert (await client.get(f"https://gpu.example:{port}/")).status_code == 200
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await client.get(f"https://other.example:{port}/")
        async with httpx.AsyncClient(transport=guarded_transport(OWNER.policy, resolver=dns)) as client:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await client.get(f"https://gpu.example:{port}/")


def _trusting(tls: Tls, dns: Dns) -> httpx.AsyncBaseTransport:
    context = ssl.create_default_context(cadata=tls.pem.decode())
    return guarded_transport(OWNER.policy, resolver=dns, verify=context)


def test_a_certificate_of_ones_own_is_trusted_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.pem"
    file.write_bytes(make_certificate("gpu.example").pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    known = trusted_authorities.__wrapped__().get_ca_certs()
    assert [dict(item for (item,) in cert["subject"])["commonName"] for cert in known] == ["gpu.example"]
