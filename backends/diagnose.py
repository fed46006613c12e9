"""Say why a server cannot be used: go through the layers one by one and name the first that fails.

address -> DNS -> TCP -> TLS -> HTTP -> key -> API -> product. Sources: A1111's contract (404 on /sdapi while / answers
means `--api` is missing; 401 without a challenge), Cloudflare's codes 520-527, RunPod's proxy pages while a pod boots.
"""

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

import httpx

from backends.base import BackendConfig
from backends.guard import Resolver, guarded_transport, policy_of, trusted_authorities
from backends.http import PROXY_STATUSES, AnswerTooLarge, is_html, key_auth, make_client, read_bounded
from backends.probe import Product, identify
from backends.registry import known_kinds
from generation.errors import BackendError
from utils.urls import CheckedUrl, UrlRefused, check_addresses, check_url, resolve

Layer = Literal["address", "dns", "connect", "tls", "http", "auth", "api", "product"]

DIAGNOSIS_S = 4.5  # /sdtest answers within 5 s
DNS_S = 1.5
CONNECT_S = 1.5  # per layer; what is left is the server's
MAX_LIST_BYTES = 8 * 1024 * 1024
API_PATHS = {"a1111": "/sdapi/v1/sd-models", "comfyui": "/system_stats", "gradio_flux": "/config"}
PRODUCT_NAMES = {"a1111": "Automatic1111 or Forge", "comfyui": "ComfyUI", "gradio_flux": "a Flux gradio app"}


@dataclass(frozen=True, kw_only=True)
class Step:
    layer: Layer
    is_ok: bool
    message: str


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was tried, in order. `message` is one sentence, `hint` what to type or do next; neither holds a URL or key.

    `owner_hint` is a command for whoever runs the server; show it to the connection's owner only.
    """

    steps: tuple[Step, ...]
    is_ok: bool
    message: str
    hint: str = ""
    owner_hint: str = ""
    seconds: float = 0.0
    product: str = ""
    models: int | None = None

    @property
    def layer(self) -> Layer:
        """The layer that failed, or the last one reached."""
        return self.steps[-1].layer


class _Failed(Exception):
    def __init__(self, layer: Layer, message: str, hint: str, product: str = "") -> None:
        super().__init__(message)
        self.layer = layer
        self.message = message
        self.hint = hint
        self.product = product


async def diagnose(
    config: BackendConfig,
    *,
    timeout_s: float = DIAGNOSIS_S,
    resolver: Resolver = resolve,
    verify: ssl.SSLContext | None = None,
) -> Diagnosis:
    """Test one server, from its address to its list of models, in at most `timeout_s`. Never raises for its faults."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    examination = _Examination(config, resolver, verify or trusted_authorities(), started + timeout_s)
    message, hint, is_ok = "", "", True
    try:
        await examination.run()
    except _Failed as failed:
        examination.steps.append(Step(layer=failed.layer, is_ok=False, message=failed.message))
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
    )


class _Examination:
    """One walk through the layers; each method passes one, or raises `_Failed`."""

    def __init__(self, config: BackendConfig, resolver: Resolver, verify: ssl.SSLContext, deadline: float) -> None:
        self._config = config
        self._resolver = resolver
        self._verify = verify
        self._deadline = deadline
        self._wanted = PRODUCT_NAMES.get(config.kind, config.kind)
        self._url: CheckedUrl | None = None
        self.steps: list[Step] = []
        self.product = ""
        self.models: int | None = None

    async def run(self) -> None:
        url = self._check_address()
        addresses = await self._look_up(url)
        await self._connect(url, addresses)
        transport = guarded_transport(self._config, resolver=self._resolver, verify=self._verify)
        async with make_client(self._config, transport=transport, auth=key_auth(self._config.key)) as client:
            try:
                await self._ask(client, url)
            except BackendError as refused:  # the name answers with another, forbidden address by now
                raise _Failed("dns", refused.user_message, refused.hint) from refused

    def verdict(self) -> tuple[str, str]:
        if self.models == 0:
            return (
                f"Connection OK, but {self.product} has no models.",
                "Put a checkpoint into its models folder and test again.",
            )
        listed = "" if self.models is None else f", {self.models} model{'' if self.models == 1 else 's'}"
        return f"Connection OK: {self.product}{listed}.", ""

    def owner_hint(self) -> str:
        """A way to see the same on the server itself; its own address is always 127.0.0.1 there."""
        if self._url is None or self._config.kind not in API_PATHS:
            return ""
        port = self._url.port if self._url.port not in {80, 443} else 7860
        return f"On the server itself, try: curl http://127.0.0.1:{port}{API_PATHS[self._config.kind]}"

    def _pass(self, layer: Layer, message: str) -> None:
        self.steps.append(Step(layer=layer, is_ok=True, message=message))

    def _left(self, most: float = float("inf")) -> float:
        return max(min(most, self._deadline - asyncio.get_running_loop().time()), 0.01)

    def _check_address(self) -> CheckedUrl:
        try:
            self._url = check_url(self._config.url, policy_of(self._config))
        except UrlRefused as refused:
            raise _Failed("address", refused.reason, refused.hint) from refused
        self._pass("address", "The address is well formed.")
        return self._url

    async def _look_up(self, url: CheckedUrl) -> tuple[str, ...]:
        if _is_literal(url.host):
            return (url.host,)
        try:
            async with asyncio.timeout(self._left(DNS_S)):
                found = await self._resolver(url.host, url.port)
            addresses = check_addresses(url.host, found, policy_of(self._config))
        except UrlRefused as refused:
            raise _Failed("dns", refused.reason, refused.hint) from refused
        except TimeoutError as error:
            raise _Failed("dns", "DNS did not answer in time.", "Test again in a minute.") from error
        except (socket.gaierror, UnicodeError) as error:
            raise _Failed(
                "dns",
                "No server of that name exists.",
                "Check the address for typing errors; a rented machine gets a new one at each start.",
            ) from error
        self._pass("dns", "The server name is known.")
        return addresses

    async def _connect(self, url: CheckedUrl, addresses: tuple[str, ...]) -> None:
        """Open a connection to try TCP and TLS by themselves; it is closed again at once."""
        failure: OSError = OSError()
        for left in range(len(addresses), 0, -1):
            try:
                async with asyncio.timeout(self._left(CONNECT_S) / left):
                    _, writer = await asyncio.open_connection(addresses[-left], url.port)
            except OSError as error:  # TimeoutError is one
                failure = error
                continue
            writer.close()
            self._pass("connect", f"Something listens on port {url.port}.")
            if url.scheme == "https":
                await self._shake_hands(url, addresses[-left])
            return
        raise _of_connect(failure, url) from failure

    async def _shake_hands(self, url: CheckedUrl, address: str) -> None:
        try:
            async with asyncio.timeout(self._left(CONNECT_S)):
                _, writer = await asyncio.open_connection(address, url.port, ssl=self._verify, server_hostname=url.host)
        except (OSError, EOFError) as error:
            raise _of_tls(error) from error
        writer.close()
        self._pass("tls", "The connection is encrypted and its certificate is valid.")

    async def _ask(self, client: httpx.AsyncClient, url: CheckedUrl) -> None:
        path = API_PATHS.get(self._config.kind, "/")
        response, body = await self._get(client, f"{url.text}{path}", url)
        self._read_status(response, body)
        if response.status_code in {404, 405} or is_html(response, body):
            await self._explain_missing_api(client, url)
        if response.status_code != httpx.codes.OK:
            raise _Failed(
                "api", f"The server answers with an error ({response.status_code}).", "Look at its console or log."
            )
        self._pass("auth", "It lets us in.")
        product = await self._identify(client, url)
        if product is not None and product.kind != self._config.kind and self._config.kind in PRODUCT_NAMES:
            raise _other_product(product, self._wanted)
        self._count_models(body)
        self._pass("api", "Its API answers.")
        self.product = product.title if product else self._wanted
        self._pass("product", f"It is {self.product}.")

    async def _get(self, client: httpx.AsyncClient, address: str, url: CheckedUrl) -> tuple[httpx.Response, bytes]:
        try:
            async with asyncio.timeout(self._left()), client.stream("GET", address) as response:
                body = await read_bounded(response, MAX_LIST_BYTES)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _Failed(
                "http",
                "The server takes the connection but does not answer.",
                "It is probably still starting or busy. Test again in a minute.",
            ) from error
        except (httpx.HTTPError, AnswerTooLarge) as error:
            other = "https" if url.scheme == "http" else "http"
            raise _Failed(
                "http", "What listens there is no web server for this address.", f"Try {other}:// or another port."
            ) from error
        return response, body

    def _read_status(self, response: httpx.Response, body: bytes) -> None:
        status = response.status_code
        if status in PROXY_STATUSES:
            raise _Failed(
                "http",
                f"The proxy answers, but the server behind it does not ({status}).",
                "It is probably still starting. Wait two or three minutes, then test again; if it lasts, see its log.",
            )
        if 300 <= status < 400:
            target = response.headers.get("location", "")
            is_upgrade = target.startswith("https://") and response.url.scheme == "http"
            hint = "Type the address with https://." if is_upgrade else "Type the address it leads to in a browser."
            raise _Failed("http", "The address only leads on to another one.", hint)
        self._pass("http", "A web server answers.")
        if status in {401, 403}:
            raise _of_auth(status, has_key=bool(self._config.key), is_page=is_html(response, body))
        if status == 429:
            raise _Failed("api", "The server says we ask too often.", "Test again in a minute.")

    async def _explain_missing_api(self, client: httpx.AsyncClient, url: CheckedUrl) -> None:
        """The API is not at that address: find out what is."""
        product = await self._identify(client, url)
        if product is not None and product.kind == self._config.kind:
            if product.has_api:
                raise _Failed("api", f"{product.title} answers, but not its list of models.", "Look at its console.")
            raise _no_api(product.title)
        if product is not None:
            raise _other_product(product, self._wanted)
        root, _ = await self._get(client, f"{url.text}/", url)
        if "/sdapi" in url.path:
            raise _Failed("api", "Nothing answers under that path.", "Leave out everything from /sdapi on.")
        if root.status_code == httpx.codes.OK and self._config.kind == "a1111":
            raise _no_api("A web page")
        raise _Failed(
            "product",
            f"Something answers there, but it is not {self._wanted}.",
            "Check the port and the path. A1111 and Forge usually use port 7860.",
        )

    async def _identify(self, client: httpx.AsyncClient, url: CheckedUrl) -> Product | None:
        try:
            async with asyncio.timeout(self._left()):
                return await identify(client, url.text)
        except TimeoutError:
            return None

    def _count_models(self, body: bytes) -> None:
        if self._config.kind != "a1111":
            return
        try:
            models = json.loads(body)
        except ValueError:
            models = None
        if not isinstance(models, list):
            raise _Failed(
                "api",
                "The server's list of models cannot be read.",
                f"Check that the address is that of {self._wanted}.",
            )
        self.models = len(models)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _of_connect(failure: OSError, url: CheckedUrl) -> _Failed:
    is_here = url.host == "localhost" or (_is_literal(url.host) and ip_address(url.host).is_loopback)
    if isinstance(failure, ConnectionRefusedError):
        where = f"Nothing listens on port {url.port}"
        if is_here:
            return _Failed("connect", f"{where} of this machine: is it running?", "Start it, and check its port.")
        return _Failed(
            "connect",
            f"{where} there: is it running, and on that port?",
            "Start it with --api --listen, and check the port in the address.",
        )
    if isinstance(failure, TimeoutError):
        return _Failed(
            "connect",
            "No answer at all: a firewall is in the way, or the machine is off.",
            f"Open port {url.port} in its firewall or on the rental page, and start it with --listen.",
        )
    return _Failed("connect", "There is no way to that machine from here.", "Check the address, and that it is on.")


def _of_tls(error: BaseException) -> _Failed:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in {18, 19}:  # X509_V_ERR_*SELF_SIGNED*
            return _Failed("tls", "Its certificate is self-signed.", "Use a tunnel or proxy with a real certificate.")
        if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            return _Failed("tls", "Its certificate has expired.", "Renew the server's certificate.")
        if error.verify_code in {62, 64}:  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
            return _Failed("tls", "Its certificate is for another name.", "Type the name the certificate is for.")
        return _Failed("tls", "Its certificate is not trusted.", "Use a tunnel or proxy with a real certificate.")
    if isinstance(error, TimeoutError):
        return _Failed("tls", "The encrypted connection was not answered.", "Test again; or try http://.")
    return _Failed(
        "tls",
        "The server does not speak https on this port.",
        "Type the address with http://, or use a tunnel that adds https.",
    )


def _of_auth(status: int, *, has_key: bool, is_page: bool) -> _Failed:
    if is_page and status == 403:
        return _Failed("auth", "A proxy in front of the server turns us away (403).", "Allow this bot in the proxy.")
    if has_key:
        return _Failed(
            "auth", f"The server refuses the key ({status}).", "Connect again with the user:password of --api-auth."
        )
    return _Failed(
        "auth", f"The server wants a key ({status}).", "Connect again with user:password (--api-auth) as the key."
    )


def _no_api(title: str) -> _Failed:
    return _Failed(
        "api",
        f"{title} answers, but the API is off: --api is missing.",
        "Start it with --api (COMMANDLINE_ARGS=--api --listen in webui-user), then test again.",
        product=title,
    )


def _other_product(product: Product, wanted: str) -> _Failed:
    hint = "Check the port: A1111 and Forge usually use 7860."
    if product.kind and product.kind in known_kinds():
        hint = f"Connect it as {product.kind} instead."
    elif product.kind:
        hint = f"This version of Easel cannot draw with it. {hint}"
    return _Failed("product", f"{product.title} answers there, not {wanted}.", hint, product=product.title)
