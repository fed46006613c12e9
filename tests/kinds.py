"""Kinds of engines for tests: those that are installed, with other backends behind them."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import pytest

from backends import kinds
from backends.base import Backend, BackendConfig
from backends.kind import EngineKind


def with_backend(name: str, make: Callable[[BackendConfig], Backend]) -> EngineKind:
    """Return a kind that comes with Easel and makes other backends."""
    kind: EngineKind = import_module(f"backends.{name}.kind").KIND
    return replace(kind, make=make)


def install(monkeypatch: pytest.MonkeyPatch, *installed: EngineKind) -> None:
    """Let these kinds be all there are."""
    kinds.known_kinds()
    monkeypatch.setattr(kinds, "_kinds", {kind.name: kind for kind in installed})


def make_none(_: BackendConfig) -> Backend:
    raise AssertionError("this kind is only looked at")
