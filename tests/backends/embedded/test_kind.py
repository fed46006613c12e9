"""The conditions for the engine inside, and the settings that its child gets."""

import re
from dataclasses import replace

import pytest

from app.engines import find_engines
from backends import kinds
from backends.base import BackendConfig
from backends.child import ROOT
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.kind import KIND, is_installed
from backends.embedded.models.families import FAMILIES
from backends.embedded.models.known import known_models
from config import read_settings
from tests.backends.embedded.shelves import put_model

MODULE = "backends.embedded.kind"


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(f"{MODULE}.makers_here", lambda: frozenset({"diffusers"}))


async def names_of(tmp_path, **given):
    settings = read_settings(
        tmp_path / "none", {"PROBE_LOCAL_PORTS": "false", "HF_HOME": str(tmp_path / "no hub"), **given}
    )
    entries, _ = await find_engines(settings)
    for entry in entries:
        await entry.backend.aclose()
    return [entry.name for entry in entries if entry.config.kind == "embedded"]


async def test_with_its_packages_and_a_model_it_is_there_by_itself(tmp_path, installed):
    assert await names_of(tmp_path, MODEL_PATH=str(tmp_path / "models")) == []
    put_model(tmp_path / "models" / "fox", "sd15")
    assert await names_of(tmp_path, MODEL_PATH=str(tmp_path / "models")) == ["embedded"]


async def test_without_its_packages_it_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.find_spec", lambda name: None)
    assert not is_installed()
    put_model(tmp_path / "models" / "fox", "sd15")
    assert await names_of(tmp_path, MODEL_PATH=str(tmp_path / "models")) == []


async def test_one_engine_for_each_gpu_that_is_set_and_none_besides(tmp_path, installed):
    put_model(tmp_path / "models" / "fox", "sd15")
    given = {"BACKENDS": "first,second", "FIRST_KIND": "embedded", "FIRST_DEVICE": "cuda:0",
             "SECOND_KIND": "embedded", "SECOND_DEVICE": "cuda:1", "MODEL_PATH": str(tmp_path / "models")}  # fmt: skip
    assert await names_of(tmp_path, **given) == ["first", "second"]


async def test_switched_off_it_does_not_come_by_itself(tmp_path, installed):
    put_model(tmp_path / "models" / "fox", "sd15")
    given = {"BACKENDS": "embedded", "EMBEDDED_ENABLED": "false", "MODEL_PATH": str(tmp_path / "models")}
    assert await names_of(tmp_path, **given) == []


def test_its_child_never_asks_the_hub_and_gets_the_settings(tmp_path):
    options = {"device": "cuda:1", "offload": "model", "visible_devices": "0,1", "idle_s": "9"}
    engine = EmbeddedBackend(BackendConfig(name="embedded", kind="embedded", key="secret", options=options))
    assert engine._child._variables == {
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DIFFUSERS_OFFLINE": "1", "EASEL_DEVICE": "cuda:1",
        "EASEL_OFFLOAD": "model", "CUDA_VISIBLE_DEVICES": "0,1",
    }  # fmt: skip
    assert engine._child._idle_s == 9
    assert engine._child._module == "backends.embedded.work.hand"


def test_it_is_no_fallback_and_nobody_connects_it():
    assert (KIND.is_inside, KIND.is_fallback, KIND.is_connectable, KIND.fills) == (True, False, False, frozenset())
    assert not replace(kinds.kind_of("sketch")).comes_with({})


def test_the_page_names_each_familys_size_and_steps():
    page = (ROOT / "docs/backends/embedded.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d+)×\d+ \| ([\d, ]+) \|$", page, re.MULTILINE)
    assert len(rows) == len(FAMILIES)
    for (title, names, side, steps), family in zip(rows, FAMILIES.values(), strict=True):
        known = [known_models()[name.strip("` ")] for name in names.split(",")]
        assert (title, int(side)) == (family.title, family.side)
        assert [model.family for model in known] == [family.name] * len(known)
        assert [model.steps for model in known] == [int(part) for part in steps.split(",")]
