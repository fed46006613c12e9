"""Find out why a server cannot be used: go through the layers one by one and name the first that fails.

address -> DNS -> TCP -> TLS -> HTTP -> key -> API -> product. Sources: A1111's contract (404 on /sdapi while / answers
means `--api` is missing; 401 without a challenge), Cloudflare's codes 520-527, RunPod's proxy pages while a pod boots,
gradio's `/login`, the account calls of the AI Horde and the AI Power Grid.
"""

import asyncio
import socket
import ssl
from dataclasses import replace
from http import HTTPStatus

import httpx

from backends.base import Backend, BackendConfig
from backends.findings import Failed, Layer, is_literal, no_api, of_auth, of_connect, of_tls, other_product
from backends.kind import EngineKind, Product
from backends.kinds import UNKNOWN, address_of, headers_and_auth, kind_of, wants_login
from backends.probe import identify
from generation.errors import BackendError
from lazy import dataclass
from net.answers import read_json
from net.client import make_client
from net.failures import PROXY_STATUSES
from net.guard import Resolver, guarded_transport, trusted_authorities
from net.reply import AnswerTooLarge, Reply, read_reply
from texts.text import _, _n
from utils.urls import CheckedUrl, UrlRefused, check_addresses, check_url, resolve

DIAGNOSIS_S = 4.5  # /sdtest answers within 5 s
DNS_S = 1.5
CONNECT_S = 1.5  # per layer; what is left is the server's
MAX_LIST_BYTES = 8 * 1024 * 1024
MISSING_STATUSES = frozenset({404, 405, 410})  # 410: a Horde's API where the Grid has left it


@dataclass(frozen=True, kw_only=True)
class DiagnosisStep:
    layer: Layer
    is_ok: bool
    message: str


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The steps taken, in order. `message` is one sentence, `hint` what to type or do next; neither holds a URL or key.

    `owner_hint` is a command for whoever runs the server; show it to the connection's owner only.
    """

    steps: tuple[DiagnosisStep, ...]
    is_ok: bool
    message: str
    hint: str = ""
    owner_hint: str = ""
    seconds: float = 0.0
    product: str = ""
    models: int | None = None
    other_kind: str = ""  # the word for what answers there, where that is no engine of the kind that was asked for

    @property
    def layer(self) -> Layer:
        """The layer that failed, or the last one reached."""
        return self.steps[-1].layer


async def diagnose(
    config: BackendConfig,
    *,
    timeout_s: float = DIAGNOSIS_S,
    resolver: Resolver = resolve,
    verify: ssl.SSLContext | None = None,
) -> Diagnosis:
    """Test one server, from its address to its list of models, in at most `timeout_s`. Never raises for its faults."""
    config = replace(config, url=address_of(config))
    loop = asyncio.get_running_loop()
    started = loop.time()
    examination = _Examination(config, resolver, verify or trusted_authorities(), started + timeout_s)
    message, hint, is_ok = "", "", True
    other_kind = ""
    try:
        await examination.run()
    except Failed as failed:
        other_kind = failed.other_kind
        examination.steps.append(DiagnosisStep(layer=failed.layer, is_ok=False, message=failed.message))
        message, hint, is_ok = failed.message, failed.hint, False
        examination.product = failed.product or examination.product
    else:
        message, hint = examination.verdict()
    return Diagnosis(
        steps=tuple(examination.steps),
        is_ok=is_ok,
        message=message,
        hint=hint,
        owner_hint="" if is_ok else examination.owner_hint(),
        seconds=loop.time() - started,
        product=examination.product,
        models=examination.models,
        other_kind=other_kind,
    )


def _stranger(name: str) -> EngineKind:
    """Stand in for a kind that is not installed: it is looked at from outside only."""

    def make(__: BackendConfig) -> Backend:
        raise ValueError(f"{name!r} is no kind of backend")

    return EngineKind(name=name, title=UNKNOWN, noun=UNKNOWN, make=make)


class _Examination:
    """One walk through the layers; each method passes one, or raises `Failed`."""

    def __init__(self, config: BackendConfig, resolver: Resolver, verify: ssl.SSLContext, deadline: float) -> None:
        self._config = config
        self._resolver = resolver
        self._verify = verify
        self._deadline = deadline
        found = kind_of(config.kind)
        self._is_known = found is not None
        self._kind = found or _stranger(config.kind)
        self._root = ""  # the address without what belongs to the API's own paths
        self._url: CheckedUrl | None = None
        self.steps: list[DiagnosisStep] = []
        self.product = ""
        self.models: int | None = None

    async def run(self) -> None:
        url = self._check_address()
        addresses = await self._look_up(url)
        await self._connect(url, addresses)
        transport = guarded_transport(self._config.policy, resolver=self._resolver, verify=self._verify)
        headers, auth = headers_and_auth(self._config)
        async with make_client(self._config.endpoint, transport=transport, auth=auth) as client:
            client.headers.update(headers)
            try:
                await self._ask(client, url)
            except BackendError as refused:  # the name answers with another, forbidden address by now
                raise Failed("dns", refused.user_message, refused.hint) from refused

    def verdict(self) -> tuple[str, str]:
        if self.models == 0:
            there = self._kind.no_models if self._kind.is_hosted else f"{self.product} {self._kind.no_models}"
            return _("Connection OK, but {there}", there=there), self._kind.no_models_hint
        if self.models is None:
            return _("Connection OK: {product}.", product=self.product), ""
        models = _n("{count} model", "{count} models", count=self.models)
        return _("Connection OK: {product}, {models}.", product=self.product, models=models), ""

    def owner_hint(self) -> str:
        """A way to see the same on the server itself; its own address is always 127.0.0.1 there."""
        if self._url is None or not self._is_known or self._kind.is_hosted:
            return ""
        port = self._url.port if self._url.port not in {80, 443} else self._kind.port
        return _(
            "On the server itself, try: curl http://127.0.0.1:{port}{check_path}",
            port=port,
            check_path=self._kind.check_path,
        )

    def _pass(self, layer: Layer, message: str) -> None:
        self.steps.append(DiagnosisStep(layer=layer, is_ok=True, message=message))

    def _left(self, most: float = float("inf")) -> float:
        return max(min(most, self._deadline - asyncio.get_running_loop().time()), 0.01)

    def _check_address(self) -> CheckedUrl:
        try:
            self._url = check_url(self._config.url, self._config.policy)
        except UrlRefused as refused:
            raise Failed("address", refused.reason, refused.hint) from refused
        self._root = self._url.text
        for end in self._kind.cut:
            self._root = self._root.removesuffix(end)
        self._pass("address", _("The address is well formed."))
        return self._url

    async def _look_up(self, url: CheckedUrl) -> tuple[str, ...]:
        if is_literal(url.host):
            return (url.host,)
        try:
            async with asyncio.timeout(self._left(DNS_S)):
                found = await self._resolver(url.host, url.port)
            addresses = check_addresses(url.host, found, self._config.policy)
        except UrlRefused as refused:
            raise Failed("dns", refused.reason, refused.hint) from refused
        except TimeoutError as error:
            raise Failed("dns", _("DNS did not answer in time."), _("Test again in a minute.")) from error
        except (socket.gaierror, UnicodeError) as error:
            raise Failed(
                "dns",
                _("No server of that name exists."),
                _("Check the address for typing errors; a rented machine gets a new one at each start."),
            ) from error
        self._pass("dns", _("The server name is known."))
        return addresses

    async def _connect(self, url: CheckedUrl, addresses: tuple[str, ...]) -> None:
        """Open a connection to try TCP and TLS by themselves; it is closed again at once."""
        failure: OSError = OSError()
        for left in range(len(addresses), 0, -1):
            try:
                async with asyncio.timeout(self._left(CONNECT_S) / left):
                    __, writer = await asyncio.open_connection(addresses[-left], url.port)
            except OSError as error:  # TimeoutError is one
                failure = error
                continue
            writer.close()
            self._pass("connect", _("Something listens on port {port}.", port=url.port))
            if url.scheme == "https":
                await self._shake_hands(url, addresses[-left])
            return
        raise of_connect(failure, url, self._kind) from failure

    async def _shake_hands(self, url: CheckedUrl, address: str) -> None:
        try:
            async with asyncio.timeout(self._left(CONNECT_S)):
                __, writer = await asyncio.open_connection(
                    address, url.port, ssl=self._verify, server_hostname=url.host
                )
        except (OSError, EOFError) as error:
            raise of_tls(error) from error
        writer.close()
        self._pass("tls", _("The connection is encrypted and its certificate is valid."))

    async def _ask(self, client: httpx.AsyncClient, url: CheckedUrl) -> None:
        reply = await self._get(client, self._kind.check_path)
        if reply.status == HTTPStatus.UNAUTHORIZED and wants_login(self._config):
            await self._log_in(client)
            reply = await self._get(client, self._kind.check_path)
        self._read_status(reply)
        if reply.status in MISSING_STATUSES or reply.is_page:
            await self._explain_missing_api(client, url)
        if reply.status != HTTPStatus.OK:
            raise Failed(
                "api",
                _("The server answers with an error ({status}).", status=reply.status),
                _("Look at its console or log."),
            )
        product = self._read_hosted(reply.body) or await self._identify(client)
        if product is not None and product.kind != self._config.kind and self._kind.signs:
            raise other_product(product, self._kind.noun)
        if product is None and self._kind.signs and self._kind.check_path != self._kind.models_path:
            raise self._nothing_known()  # a list of models is proof enough
        await self._check_account(client)
        self._pass("auth", _("Access is allowed."))
        await self._count_models(client, reply.body)
        self._pass("api", _("Its API answers."))
        self.product = product.title if product else self._kind.noun
        self._pass("product", _("It is {product}.", product=self.product))

    def _read_hosted(self, body: bytes) -> Product | None:
        """Return whose answer a service's own path gave; such a one need not be asked for more."""
        signs = (sign for sign in self._kind.signs if self._kind.is_hosted and sign.path == self._kind.check_path)
        return next((product for sign in signs if (product := sign.read(body))), None)

    async def _log_in(self, client: httpx.AsyncClient) -> None:
        """Trade user name and password for gradio's cookie, which the client then keeps."""
        user, __, password = self._config.key.partition(":")
        form = {"username": user, "password": password}
        reply = await self._get(client, "/login", form)
        if reply.status in {400, 401, 403}:
            self._pass("http", _("A web server answers."))
            raise of_auth(reply.status, self._kind, has_key=True, is_page=reply.is_page)

    async def _check_account(self, client: httpx.AsyncClient) -> None:
        """Ask for what only a known key is told, where the rest is open to everybody."""
        is_anonymous = bool(self._kind.anonymous_key) and not self._config.key
        if not self._kind.account_path or is_anonymous:
            return
        reply = await self._get(client, self._kind.account_path)
        if reply.status == HTTPStatus.NOT_FOUND:  # a Horde's way to say that it knows no such key
            raise of_auth(404, self._kind, has_key=True, is_page=False)
        self._read_status(reply)

    async def _get(self, client: httpx.AsyncClient, path: str, form: dict[str, str] | None = None) -> Reply:
        """Ask for a path, or post a form to it."""
        try:
            async with (
                asyncio.timeout(self._left()),
                client.stream("POST" if form else "GET", f"{self._root}{path}", data=form) as response,
            ):
                return await read_reply(response, MAX_LIST_BYTES)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Failed(
                "http",
                _("The server takes the connection but does not answer."),
                _("It is probably still starting or busy. Test again in a minute."),
            ) from error
        except (httpx.HTTPError, AnswerTooLarge) as error:
            other = "https" if self._root.startswith("http:") else "http"
            raise Failed(
                "http",
                _("The program at this address is not a web server."),
                _("Try {other}:// or another port.", other=other),
            ) from error

    def _read_status(self, reply: Reply) -> None:
        status = reply.status
        if status in PROXY_STATUSES:
            raise Failed(
                "http",
                _("The proxy answers, but the server behind it does not ({status}).", status=status),
                _(
                    "It is probably still starting. Wait two or three minutes, then test again; "
                    "if it lasts, see its log."
                ),
            )
        if 300 <= status < 400:
            target = reply.headers.get("location", "")
            is_upgrade = target.startswith("https://") and self._root.startswith("http:")
            hint = (
                _("Type the address with https://.") if is_upgrade else _("Type the address it leads to in a browser.")
            )
            raise Failed("http", _("The address only leads on to another one."), hint)
        if all(step.layer != "http" for step in self.steps):
            self._pass("http", _("A web server answers."))
        if status in {401, 403} or (status == HTTPStatus.BAD_REQUEST and self._kind.refuses_keys_as_bad):
            raise of_auth(status, self._kind, has_key=bool(self._config.key), is_page=reply.is_page)
        if status == 429:
            raise Failed("api", _("The server says we ask too often."), _("Test again in a minute."))

    async def _explain_missing_api(self, client: httpx.AsyncClient, url: CheckedUrl) -> None:
        """The API is not at that address: find out what is."""
        product = await self._identify(client)
        if product is not None and product.kind == self._config.kind:
            if product.has_api:
                raise Failed(
                    "api",
                    _("{title} answers, but not its list of models.", title=product.title),
                    _("Look at its console."),
                )
            raise no_api(product.title, self._kind.api_off_hint)
        if product is not None:
            raise other_product(product, self._kind.noun)
        root = await self._get(client, "/")
        if "/sdapi" in url.path:
            raise Failed("api", _("Nothing answers under that path."), _("Leave out everything from /sdapi on."))
        if root.status == HTTPStatus.OK and self._kind.api_off_hint:
            raise no_api(_("A web page"), self._kind.api_off_hint)
        raise self._nothing_known()

    def _nothing_known(self) -> Failed:
        hint = _(
            "Check the port and the path; {noun} usually uses port {port}.", noun=self._kind.noun, port=self._kind.port
        )
        return Failed("product", _("Something answers there, but it is not {noun}.", noun=self._kind.noun), hint)

    async def _identify(self, client: httpx.AsyncClient) -> Product | None:
        try:
            async with asyncio.timeout(self._left()):
                return await identify(client, self._root)
        except TimeoutError:
            return None

    async def _count_models(self, client: httpx.AsyncClient, body: bytes) -> None:
        if not self._kind.models_path:
            return
        if self._kind.models_path != self._kind.check_path:
            reply = await self._get(client, self._kind.models_path)
            self._read_status(reply)
            body = reply.body
        try:
            models = read_json(body)
        except ValueError:
            models = None
        if self._kind.models_in and isinstance(models, dict):
            models = models.get(self._kind.models_in)
        if not isinstance(models, list):
            raise Failed(
                "api",
                _("The server's list of models cannot be read."),
                _("Check that the address is that of {noun}.", noun=self._kind.noun),
            )
        self.models = sum(not isinstance(model, dict) or model.get("type", "image") == "image" for model in models)
