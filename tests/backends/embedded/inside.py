"""An Easel with the engine inside: its models have no weights, and its child draws without torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backends import kinds
from backends.base import BackendConfig
from backends.child import Child
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.kind import KIND
from tests.backends.embedded.shelves import put_in_hub, put_model

MODULE = "tests.backends.embedded.fake_maker"


def drawn_by(config: BackendConfig, **variables: str) -> EmbeddedBackend:
    """Make an engine; `variables` are those of its child: FAKE_KIND is the device."""
    return EmbeddedBackend(config, child=Child(MODULE, variables=variables), makers=lambda: frozenset({"diffusers"}))


def put_two_models(folder: Path) -> Path:
    """Put a model of your own below `models`, and FLUX.1 schnell into the hub's cache."""
    put_model(folder / "models" / "fox-sd15", "sd15")
    put_in_hub(folder / "hub", "black-forest-labs/FLUX.1-schnell", "flux", guidance=False)
    return folder


def settings_with(folder: Path) -> dict[str, str]:
    return {
        "DATA_DIR": str(folder / "data"), "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0",
        "MODEL_PATH": str(folder / "models"), "HF_HOME": str(folder), "PROVENANCE": "off",
    }  # fmt: skip


def let_be_installed(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Let the packages be there, for each Easel that is built from now on."""
    kinds.known_kinds()
    kind = replace(
        KIND,
        make=lambda config: drawn_by(config, **variables),
        comes_with=lambda options: options["models"] != "",
        is_there=lambda: True,
    )
    monkeypatch.setitem(kinds._kinds, "embedded", kind)
