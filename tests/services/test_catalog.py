"""Lists to choose from: engines and names, from memory, at most 25."""

import pytest

from backends.base import BackendConfig
from backends.registry import BackendRegistry, Entry, Owner
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendUnavailable
from generation.request import Mode
from services.engines.catalog import ENGINES, MAX_CHOICES, Catalog
from tests.fakes import FakeBackend, FakeClock
from tests.people import person

MODELS = (
    ModelInfo(name="sdxl.safetensors", title="SDXL"),
    ModelInfo(name="dream.safetensors", title="Dream"),
    ModelInfo(name="flux.safetensors", title="Flux dream", is_loaded=True),
)


@pytest.fixture
def registry() -> BackendRegistry:
    return BackendRegistry(FakeClock())


def _add(registry: BackendRegistry, name: str, owner: Owner | None = None, **how: object) -> Entry:
    capabilities = how.pop("capabilities", None) or Capabilities(
        modes=frozenset(Mode), models=MODELS, samplers=("Euler", "Euler a", "DPM++ 2M"), loras=("ink",)
    )
    return registry.add(
        Entry(
            config=BackendConfig(name=name, kind="fake-kind", label=f"The {name}", url="http://secret", key="secret"),
            backend=FakeBackend(name),
            owner=owner or Owner(),
            capabilities=capabilities,
            **how,  # type: ignore[arg-type]
        )
    )


def _suggest(registry: BackendRegistry, what: str, typed: str = "", **how: str) -> list[tuple[str, str]]:
    return Catalog(registry).suggest(what, typed, person("u", "g"), **how)


async def test_engines_are_listed_without_secrets_the_preferred_first(registry: BackendRegistry) -> None:
    _add(registry, "shared").error = BackendUnavailable("It is away.", hint="Start it.")
    _add(registry, "own", Owner(kind="user", id="u"))
    _add(registry, "sketch", is_fallback=True)
    engines = Catalog(registry).engines(person("u", "g"))
    assert [(engine.name, engine.error, engine.hint) for engine in engines] == [
        ("own", None, ""),
        ("shared", "It is away.", "Start it."),
    ]
    assert "secret" not in repr(engines)


async def test_the_fallback_is_listed_only_alone_but_is_found_by_name(registry: BackendRegistry) -> None:
    _add(registry, "sketch", is_fallback=True)
    assert [engine.name for engine in Catalog(registry).engines(person("u"))] == ["sketch"]
    _add(registry, "gpu")
    assert [engine.name for engine in Catalog(registry).engines(person("u"))] == ["gpu"]
    found = Catalog(registry).engine("sketch", person("u"))
    assert found
    assert found.is_fallback


@pytest.mark.parametrize("wanted", ["gpu", "The gpu", "fake-kind"])
async def test_an_engine_is_found_by_name_label_or_kind(registry: BackendRegistry, wanted: str) -> None:
    _add(registry, "gpu")
    found = Catalog(registry).engine(wanted, person("u"))
    assert found
    assert found.name == "gpu"
    assert Catalog(registry).engine("nobody", person("u")) is None


async def test_refresh_asks_the_visible_engines(registry: BackendRegistry) -> None:
    entry = _add(registry, "gpu")
    other = _add(registry, "theirs", Owner(kind="user", id="x"))
    await Catalog(registry).refresh(person("u", "g"))
    assert entry.checked_at > 0
    assert other.checked_at < 0


async def test_loaded_models_come_first_and_are_marked(registry: BackendRegistry) -> None:
    _add(registry, "gpu")
    assert _suggest(registry, "models") == [
        ("● Flux dream", "flux.safetensors"),
        ("○ SDXL", "sdxl.safetensors"),
        ("○ Dream", "dream.safetensors"),
    ]


async def test_names_that_begin_with_what_was_typed_come_before_those_that_hold_it(registry: BackendRegistry) -> None:
    _add(registry, "gpu")
    assert [value for _, value in _suggest(registry, "models", " DREAM")] == ["dream.safetensors", "flux.safetensors"]
    assert [value for _, value in _suggest(registry, "samplers", "euler")] == ["Euler", "Euler a"]
    assert _suggest(registry, "samplers", "nothing like it") == []


async def test_a_title_that_begins_with_what_was_typed_comes_first_too(registry: BackendRegistry) -> None:
    models = (ModelInfo(name="a/old-flux", title="Old Flux"), ModelInfo(name="b/one", title="Flux one"))
    _add(registry, "gpu", capabilities=Capabilities(modes=frozenset(Mode), models=models))
    assert [value for _, value in _suggest(registry, "models", "flux")] == ["b/one", "a/old-flux"]


async def test_choices_of_all_engines_are_joined_or_those_of_one(registry: BackendRegistry) -> None:
    _add(registry, "gpu")
    _add(registry, "grid", capabilities=Capabilities(modes=frozenset(Mode), samplers=("Heun", "Euler")))
    joined = [value for _, value in _suggest(registry, "samplers")]
    assert sorted(joined) == ["DPM++ 2M", "Euler", "Euler a", "Heun"]
    assert [value for _, value in _suggest(registry, "samplers", backend="grid")] == ["Heun", "Euler"]
    assert _suggest(registry, ENGINES, "gr") == [("The grid", "grid")]


async def test_at_most_25_choices_none_too_long_for_discord(registry: BackendRegistry) -> None:
    loras = (*(f"lora {n}" for n in range(40)), "x" * 101)
    _add(registry, "gpu", capabilities=Capabilities(modes=frozenset(Mode), loras=loras))
    assert len(_suggest(registry, "loras")) == MAX_CHOICES
    assert _suggest(registry, "loras", "xxx") == []
    assert _suggest(registry, "loras", "lora 39") == [("lora 39", "lora 39")]


async def test_engines_that_cannot_tell_or_have_not_answered_offer_nothing(registry: BackendRegistry) -> None:
    entry = _add(registry, "gpu", capabilities=Capabilities(modes=frozenset(Mode), samplers=None, models=None))
    assert _suggest(registry, "samplers") == []
    assert _suggest(registry, "models") == []
    entry.capabilities = None
    assert _suggest(registry, "schedulers") == []
