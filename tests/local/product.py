"""Tiny models of both makers for tests of the whole product, and what of Easel's processes the system shows."""

import os
from pathlib import Path

from backends.base import BackendConfig
from backends.embedded.backend import EmbeddedBackend
from tests.local import tiny
from tests.local.openvino_data import unpack

MAKERS = ("diffusers", "openvino")
SIDES = {"diffusers": 64, "openvino": 128}  # of pictures whose 150 steps take some seconds: each has a preview
LONG = {maker: f"!dream a red fox --size {side}x{side} --steps 150 --seed 812" for maker, side in SIDES.items()}
QUICK = "!dream a red fox --size 64x64 --steps 4 --seed 812"


def put_model(maker, folder):
    """Put a tiny model named `fox` where a maker finds it."""
    if maker == "openvino":
        return unpack("sd15", folder / "fox")
    return tiny.make("sd15", folder / "fox")


def engine_on(folder):
    options = {"models": str(folder), "hf_home": str(folder / "none"), "device": "cpu"}
    return EmbeddedBackend(BackendConfig(name="embedded", kind="embedded", options=options))


def settings_on(folder):
    """Return the settings of an Easel that has nothing but these models."""
    return {
        "MODEL_PATH": str(folder), "HF_HOME": str(folder / "none"), "EMBEDDED_DEVICE": "cpu", "PROVENANCE": "off",
        "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", "OMP_NUM_THREADS": "1",
    }  # fmt: skip


def children_of(pid):
    """Return the processes of the engine inside below one, however deep."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            words = (path / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        if parent == pid and b"backends.embedded.work.hand" in words:
            found.append(int(path.name))
    return found


def is_there(pid):
    try:
        os.kill(pid, 0)
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
