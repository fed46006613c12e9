"""The built-in painter among the engines: where it is there."""

from dataclasses import replace
from pathlib import Path

import pytest

from app import engines as app_engines
from backends import kinds
from backends.kinds import kind_of
from settings.engines import BackendSettings
from tests.test_main import settings_in


async def test_the_painter_is_there_where_the_networks_are_and_no_engine_is_hidden_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    names = [entry.name for entry in (await app_engines.find_engines(settings_in(tmp_path)))[0]]
    assert names == ["sketch"]
    art = kind_of("art")
    assert art
    monkeypatch.setitem(kinds._kinds, "art", replace(art, is_there=lambda: True))
    gpu = BackendSettings(name="gpu", kind="a1111", url="http://127.0.0.1:7861")
    entries, __ = await app_engines.find_engines(settings_in(tmp_path, configured=(gpu,)))
    assert [(entry.name, entry.is_fallback, entry.finishes) for entry in entries] == [
        ("gpu", False, False),
        ("art", True, False),
        ("sketch", True, False),
        ("painted", True, True),
    ]
    for entry in entries:
        await entry.backend.aclose()
