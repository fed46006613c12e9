"""Connections that people bring: tested before they are kept, owned, forgotten, restored."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.base import BackendConfig
from backends.diagnose import Diagnosis, DiagnosisStep
from backends.registry import BackendRegistry, Owner
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, RequestRejected
from services.engines.connections import (
    ConnectionService,
    NotConnected,
    connectable_types,
    label_for,
    needs_address,
)
from settings.safety import SafetySettings
from store.connections import Connection
from tests.backends import products
from tests.fakes import FakeBackend, FakeClock
from tests.kinds import install, make_none, with_backend
from tests.net.servers import serve
from tests.people import person

MIA = Owner(kind="user", id="7")
BEN = Owner(kind="user", id="8")
GUILD = Owner(kind="guild", id="7")
URL = "https://abc123-7860.proxy.runpod.net"


class MemoryStore:
    """The store's verbs over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Connection] = {}

    async def save(self, connection: Connection) -> None:
        self.rows[connection.owner_kind, connection.owner_id] = connection

    async def get(self, owner_kind: str, owner_id: str) -> Connection | None:
        return self.rows.get((owner_kind, owner_id))

    async def all(self) -> list[Connection]:
        return list(self.rows.values())

    async def delete(self, owner_kind: str, owner_id: str) -> bool:
        return self.rows.pop((owner_kind, owner_id), None) is not None

    async def touch(self, connection_id: str, now: datetime) -> None:
        for owner, row in self.rows.items():
            if row.id == connection_id:
                self.rows[owner] = replace(row, last_used_at=now)


class Examiner:
    """Finds what the test tells it to, and remembers what it was asked."""

    def __init__(self, layer: str | None = None) -> None:
        self.layer = layer
        self.asked: list[BackendConfig] = []

    async def __call__(self, config: BackendConfig) -> Diagnosis:
        self.asked.append(config)
        step = DiagnosisStep(layer=self.layer or "product", is_ok=self.layer is None, message="It is what it is.")
        return Diagnosis(
            steps=(step,), is_ok=step.is_ok, message=step.message, hint="Do this.", owner_hint="Try: curl ...", models=2
        )


@pytest.fixture(autouse=True)
def _only_a1111(monkeypatch):
    install(monkeypatch, with_backend("a1111", lambda config: FakeBackend(config.name)))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def registry(clock):
    registry = BackendRegistry(clock)
    yield registry
    await registry.aclose()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def examiner():
    return Examiner()


@pytest.fixture
def service(registry, store, clock, examiner):
    return ConnectionService(registry, store, clock=clock, examine=examiner, timeout_s=120.0)


async def test_working_server_is_saved_and_usable_at_once(service, registry, store, examiner):
    connected = await service.connect("forge", f"{URL}/", "user:pw", owner=MIA, label=label_for("Mia", "forge"))
    assert connected.diagnosis.is_ok
    entry = registry.get("user-7")
    assert entry is connected.entry
    assert (entry.owner, entry.label, entry.capabilities is not None) == (MIA, "Mia's Forge", True)
    saved = store.rows["user", "7"]
    assert (saved.kind, saved.url, saved.key) == ("forge", URL, "user:pw")
    asked = examiner.asked[0]
    assert (asked.kind, asked.allow_private, asked.allow_insecure_http, asked.timeout_s) == ("a1111", False, False, 120)
    assert asked.is_typed
    assert [e.name for e in registry.visible(person("7"))] == ["user-7"]
    assert registry.visible(person("8")) == []


@pytest.mark.parametrize("typed", ["a1111", "automatic1111", "Forge"])
async def test_type_is_shown_as_it_was_typed(service, examiner, typed):
    connected = await service.connect(typed, URL, owner=MIA)
    assert connected.connection.kind == typed.lower()
    assert examiner.asked[0].kind == "a1111"


@pytest.mark.parametrize("typed", ["comfyui", "midjourney"])  # the one is not installed here
async def test_an_unknown_type_is_refused_with_the_known_ones(service, store, examiner, typed):
    with pytest.raises(RequestRejected, match="not known") as refused:
        await service.connect(typed, URL, owner=MIA)
    assert refused.value.field == "api_type"
    assert "a1111, automatic1111, forge" in refused.value.hint
    assert not store.rows
    assert not examiner.asked


def test_types_follow_what_is_registered(monkeypatch):
    install(monkeypatch, with_backend("comfyui", make_none))
    assert connectable_types() == ("comfyui",)


@pytest.mark.parametrize(
    "url",
    ["http://mygpu.com", "https://127.0.0.1:7860", "mygpu.com", "https://a:b@mygpu.com", "http://169.254.169.254"],
)
async def test_forbidden_address_is_refused_before_any_connection(service, examiner, url):
    with pytest.raises(RequestRejected) as refused:
        await service.connect("a1111", url, owner=MIA)
    assert refused.value.field == "url"
    assert refused.value.hint
    assert not examiner.asked


@pytest.fixture
def every_kind(monkeypatch):
    names = ("a1111", "comfyui", "gradio_flux", "ai_horde", "aipowergrid")
    install(monkeypatch, *(with_backend(name, lambda config: FakeBackend(config.name)) for name in names))


@pytest.mark.parametrize(
    ("typed", "kind", "title"),
    [
        ("ai_horde", "ai_horde", "AI Horde"),
        ("Horde", "ai_horde", "AI Horde"),
        ("aipowergrid", "aipowergrid", "AI Power Grid"),
        ("grid", "aipowergrid", "AI Power Grid"),
    ],
)
async def test_a_public_engine_needs_no_address(service, examiner, every_kind, typed, kind, title):
    assert not needs_address(typed)
    connected = await service.connect(typed, "  ", "grid_x", owner=MIA, label=label_for("Mia", typed))
    asked = examiner.asked[0]
    assert (asked.kind, asked.url, asked.key) == (kind, connected.connection.url, "grid_x")
    assert asked.url.startswith("https://")
    assert connected.entry.label == f"Mia's {title}"


@pytest.mark.parametrize("typed", ["a1111", "forge", "comfyui", "flux", "gradio", "pinokio"])
async def test_every_other_needs_one(service, examiner, every_kind, typed):
    assert needs_address(typed)
    with pytest.raises(RequestRejected, match="empty"):
        await service.connect(typed, "", owner=MIA)
    assert not examiner.asked


def test_what_people_may_type_fits_a_menu(every_kind):
    names = connectable_types()
    assert len(names) <= 25
    wanted = "a1111 automatic1111 forge comfyui flux gradio pinokio ai_horde horde aipowergrid grid"
    assert set(names) >= set(wanted.split())


@pytest.mark.parametrize("key", ["line\nbreak", "x" * 2000])
async def test_impossible_key_is_refused_without_repeating_it(service, key):
    with pytest.raises(RequestRejected) as refused:
        await service.connect("a1111", URL, key, owner=MIA)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("layer", "error"),
    [("dns", BackendUnavailable), ("connect", BackendUnavailable), ("auth", BackendAuthError), ("api", BackendError)],
)
async def test_failed_test_saves_nothing_and_says_why(service, store, registry, examiner, layer, error):
    examiner.layer = layer
    with pytest.raises(BackendError) as failed:
        await service.connect("a1111", URL, "user:pw", owner=MIA)
    assert type(failed.value) is error
    assert failed.value.user_message == "Connection failed: It is what it is."
    assert failed.value.hint == "Do this.\nTry: curl ..."
    assert not store.rows
    assert registry.get("user-7") is None


async def test_failed_change_keeps_the_connection_before(service, store, registry, examiner):
    before = await service.connect("a1111", URL, owner=MIA)
    examiner.layer = "connect"
    with pytest.raises(BackendError):
        await service.connect("a1111", "https://other.example", owner=MIA)
    assert store.rows["user", "7"].url == URL
    assert registry.get("user-7") is before.entry


async def test_connecting_again_replaces_under_the_same_name(service, store, registry):
    first = await service.connect("a1111", URL, owner=MIA)
    second = await service.connect("forge", "https://other.example", owner=MIA)
    assert first.connection.id == second.connection.id
    assert [entry.name for entry in registry] == ["user-7"]
    assert store.rows["user", "7"].url == "https://other.example"


async def test_users_and_servers_have_their_own(service, registry):
    for owner in (MIA, BEN, GUILD):
        await service.connect("a1111", URL, owner=owner)
    assert [e.name for e in registry.visible(person("7"))] == ["user-7"]
    assert [e.name for e in registry.visible(person("8", "7"))] == ["user-8", "guild-7"]


async def test_engine_of_easel_itself_cannot_be_brought(service):
    with pytest.raises(ValueError, match="easel"):
        await service.connect("a1111", URL, owner=Owner())


async def test_test_goes_through_the_layers_and_notes_the_use(service, store, clock, examiner):
    await service.connect("automatic1111", URL, "user:pw", owner=MIA)
    await clock.advance(60)
    assert (await service.test(MIA)).is_ok
    assert store.rows["user", "7"].last_used_at == clock.now()
    examiner.layer = "http"
    assert not (await service.test(MIA)).is_ok


async def test_without_a_connection_the_advice_is_to_connect(service):
    with pytest.raises(NotConnected) as error:
        await service.test(MIA)
    assert error.value.user_message == "You have connected no engine of your own."
    assert "/sdconnect" in error.value.hint


async def test_disconnect_forgets_the_connection_and_its_key(service, store, registry):
    await service.connect("a1111", URL, "user:pw", owner=MIA)
    assert await service.disconnect(MIA)
    assert await service.of(MIA) is None
    assert registry.get("user-7") is None
    assert not store.rows
    assert not await service.disconnect(MIA)


async def test_restore_brings_back_what_the_rules_still_allow(service, store, registry, caplog):
    await service.connect("a1111", URL, "user:pw", owner=MIA)
    row = store.rows["user", "7"]
    store.rows["user", "8"] = replace(row, id="b", owner_id="8", url="http://127.0.0.1:7860")
    store.rows["user", "9"] = replace(row, id="c", owner_id="9", kind="gone")
    await registry.remove("user-7")
    with caplog.at_level(logging.WARNING):
        assert await service.restore() == 1
    entry = registry.get("user-7")
    assert entry is not None
    assert (entry.config.key, entry.owner) == ("user:pw", MIA)
    assert [entry.name for entry in registry] == ["user-7"]
    assert "127.0.0.1" not in caplog.text
    assert "user:pw" not in caplog.text


async def test_a_key_is_shown_nowhere(service):
    connected = await service.connect("a1111", URL, "user:hunter2", owner=MIA)
    assert "hunter2" not in repr(connected)
    assert "hunter2" not in str(connected.connection)


@pytest.mark.parametrize(
    ("person", "kind", "label"),
    [("Mia", "forge", "Mia's Forge"), ("", "a1111", "A1111"), ("Mia", "comfyui", "Mia's ComfyUI")],
)
def test_label_says_whose_and_what(every_kind, person, kind, label):
    assert label_for(person, kind) == label
    assert len(label_for("x" * 200, kind)) <= 60


async def test_real_test_on_a_real_socket_decides(every_kind, registry, store, clock):
    safety = SafetySettings(allow_private=True, allow_insecure_http=True)
    service = ConnectionService(registry, store, clock=clock, safety=safety)
    async with serve(products.a1111("openapi-forge")) as port:
        connected = await service.connect("forge", f"http://localhost:{port}", owner=MIA)
    assert connected.diagnosis.message == "Connection OK: Forge, 2 models."
    assert connected.connection.created_at.tzinfo is UTC
    async with serve(products.comfyui()) as port:
        with pytest.raises(BackendError, match=r"ComfyUI 0\.33\.0 answers there"):
            await service.connect("a1111", f"http://localhost:{port}", owner=BEN)
    assert ("user", "8") not in store.rows


async def test_a_trusted_user_may_bring_an_engine_of_the_home_network(clock):
    registry, examiner = BackendRegistry(clock), Examiner()
    service = ConnectionService(registry, MemoryStore(), clock=clock, examine=examiner, trusted=frozenset({MIA.id}))
    connected = await service.connect("forge", "http://192.168.1.20:7860", owner=MIA)
    assert connected.entry.config.allow_private
    with pytest.raises(RequestRejected):
        await service.connect("forge", "http://192.168.1.20:7860", owner=BEN)
    await registry.aclose()
