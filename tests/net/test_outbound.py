"""Links and webhooks that people gave: only checked addresses are reached, and nothing is read without end."""

import socket

import pytest
from aiohttp import web

from generation.errors import BackendUnavailable, RequestRejected
from net import outbound
from net.outbound import call, check_outbound, fetch_picture, post_json
from tests.net.servers import serve
from tests.net.test_guard import Dns
from utils.urls import UrlPolicy

STRICT = UrlPolicy(allow_insecure_http=True)
OPEN = UrlPolicy(allow_private=True, allow_insecure_http=True)
HERE = Dns(("127.0.0.1",))


class Site:
    """Notes every request; `/picture` is a file, `/away` leads wherever `target` says."""

    def __init__(self, data: bytes = b"picture", status: int = 200) -> None:
        self.data, self.status, self.target = data, status, "/picture"
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def picture(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return web.Response(body=self.data, status=self.status, content_type="image/png")

    async def away(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        raise web.HTTPFound(self.target)

    async def endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(1000):
            await answer.write(bytes(1024))
        return answer

    def serve(self):
        return serve({"/picture": self.picture, "/away": self.away, "/endless": self.endless})


async def refusal(url: str, policy: UrlPolicy = OPEN, **values) -> RequestRejected:
    with pytest.raises(RequestRejected) as refused:
        await fetch_picture(url, policy=policy, **values)
    assert refused.value.field == "imageUrl"
    assert url not in refused.value.user_message
    return refused.value


async def test_a_picture_is_fetched_with_its_query_and_after_a_redirect():
    site = Site()
    async with site.serve() as port:
        site.target = f"http://b.example:{port}/picture?size=2"
        assert await fetch_picture(f"http://a.example:{port}/away?x=1", policy=OPEN, resolver=HERE) == b"picture"
    assert [request.path_qs for request in site.requests] == ["/away?x=1", "/picture?size=2"]
    assert "Authorization" not in site.requests[1].headers


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/a.png", "http://[::1]/", "http://2130706433/", "http://169.254.169.254/latest/meta-data",
     "http://localhost/", "http://10.0.0.1/", "http://box.local/", "http://[::ffff:127.0.0.1]/"],
)  # fmt: skip
async def test_addresses_of_this_machine_and_its_network_are_refused(url):
    dns = Dns(("8.8.8.8",))
    assert "refused" in (await refusal(url, STRICT, resolver=dns)).user_message
    assert dns.asked == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "a.example/x.png",
        "https:///x.png",
        "https://u:p@a.example/",
        "http://[",
    ],
)
async def test_what_is_no_web_address_is_refused_by_name_of_the_field(url):
    assert "imageUrl" in (await refusal(url)).user_message


async def test_a_name_that_leads_inside_is_refused_before_any_connection():
    site = Site()
    async with site.serve() as port:
        reply = await refusal(f"http://pictures.example:{port}/picture", STRICT, resolver=HERE)
    assert reply.user_message.startswith("The address in imageUrl is refused.")
    assert "the machine this bot runs on" in reply.user_message
    assert not site.requests


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://metadata.internal/"])
async def test_a_redirect_to_a_forbidden_address_is_not_followed(target):
    site = Site()
    async with site.serve() as port:
        site.target = target
        await refusal(f"http://127.0.0.1:{port}/away", UrlPolicy(allow_private=True))
    assert len(site.requests) == 1


async def test_a_circle_of_redirects_ends():
    site = Site()
    async with site.serve() as port:
        site.target = "/away"
        assert "too often" in (await refusal(f"http://127.0.0.1:{port}/away")).user_message
    assert len(site.requests) == outbound.MAX_REDIRECTS + 1


async def test_a_file_is_not_read_past_the_limit():
    async with Site(bytes(2048)).serve() as port:
        announced = await refusal(f"http://127.0.0.1:{port}/picture", limit_bytes=1024)
        counted = await refusal(f"http://127.0.0.1:{port}/endless", limit_bytes=64 * 1024)
    assert "too large" in announced.user_message
    assert "too large" in counted.user_message


async def test_a_missing_file_says_what_the_server_answered():
    async with Site(status=404).serve() as port:
        assert "HTTP 404" in (await refusal(f"http://127.0.0.1:{port}/picture")).user_message


async def test_a_server_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(outbound, "FETCH_TIMEOUT_S", 0.02)
    listener = socket.create_server(("127.0.0.1", 0))  # connects, never answers
    with listener:
        reply = await refusal(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert "in time" in reply.user_message


async def test_a_name_that_does_not_exist_says_so():
    reply = await refusal("https://nowhere.example/", resolver=Dns(socket.gaierror("no")))
    assert "imageUrl" in reply.user_message


async def _post_server(aiohttp_app: web.Application):
    runner = web.AppRunner(aiohttp_app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


@pytest.fixture
async def receiver():
    site = Site()

    async def take(request: web.Request) -> web.StreamResponse:
        site.requests.append(request)
        site.bodies.append(await request.read())
        if request.path == "/away":
            raise web.HTTPTemporaryRedirect("/hook")
        return web.Response(status=202, text="thanks")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", take)
    runner, site.port = await _post_server(app)
    yield site
    await runner.cleanup()


async def test_a_webhook_is_posted_and_its_status_returned(receiver):
    url = f"http://127.0.0.1:{receiver.port}/hook?token=1"
    assert await post_json(url, b'{"a":1}', {"X-Easel-Event": "finished"}, OPEN) == 202
    assert receiver.bodies == [b'{"a":1}']
    assert receiver.requests[0].headers["Content-Type"] == "application/json"
    assert receiver.requests[0].headers["X-Easel-Event"] == "finished"


async def test_a_webhook_does_not_follow_redirects(receiver):
    assert await post_json(f"http://127.0.0.1:{receiver.port}/away", b"{}", {}, OPEN) == 307
    assert len(receiver.requests) == 1


async def test_a_webhook_to_a_forbidden_address_is_refused_and_a_dead_one_unavailable():
    with pytest.raises(RequestRejected) as refused:
        await post_json("http://hooks.example/", b"{}", {}, STRICT, resolver=HERE)
    assert refused.value.field == "webhook"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(BackendUnavailable):
        await post_json(f"http://127.0.0.1:{port}/", b"{}", {}, OPEN)


async def test_an_api_is_asked_with_a_form(receiver):
    answer = await call("POST", f"http://127.0.0.1:{receiver.port}/token", OPEN, form={"code": "a b"})
    assert (answer.status, answer.body, receiver.bodies) == (202, b"thanks", [b"code=a+b"])


def test_an_address_is_checked_when_it_is_given():
    check_outbound("https://hooks.example/a?b=c", policy=UrlPolicy(), field="webhook")
    with pytest.raises(RequestRejected, match="Plain http"):
        check_outbound("http://hooks.example/", policy=UrlPolicy(), field="webhook")


async def test_a_webhook_that_is_not_answered_in_time_is_no_receipt(monkeypatch):
    monkeypatch.setattr(outbound, "POST_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BackendUnavailable):
        await post_json(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {}, OPEN)
