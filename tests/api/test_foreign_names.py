"""An engine's file names and errors: none breaks no list and no stream for anybody."""

from dataclasses import replace

import pytest

from generation.capabilities import ModelInfo
from generation.errors import BackendError

NAME = "\udcc4\udce3model\u202e.safetensors"
LISTS = (
    "/api/engines",
    "/v1/models",
    "/models",
    "/api/images/providers",
    "/v1/model-info",
    "/api/gallery",
    "/api/jobs",
)


@pytest.mark.parametrize("path", LISTS)
async def test_names_that_are_no_utf8_are_listed_with_a_replacement(site, path):
    entry = site.easel.registry.get("sketch")
    models = (ModelInfo(name=NAME, title=NAME), ModelInfo(name="good", title="good"))
    entry.capabilities = replace(entry.capabilities, models=models, loras=(NAME,), samplers=(NAME,))
    answer = await site.client.get(path)
    assert answer.status_code == 200, answer.text
    assert "\u202e" not in answer.text
    if path == "/api/engines":
        assert "\ufffd\ufffdmodel.safetensors" in str(answer.json())


@pytest.mark.parametrize("path", LISTS)
async def test_an_error_with_half_characters_in_it_is_shown(site, path):
    entry = site.easel.registry.get("sketch")
    entry.error = BackendError(f"sketch says: {NAME}", hint=NAME, detail=NAME)
    assert (await site.client.get(path)).status_code == 200


async def test_a_job_that_fails_with_such_an_error_stands_in_every_list(site, monkeypatch):
    backend = site.easel.registry.get("sketch").backend

    async def fail(*_):
        raise BackendError(f"sketch says: {NAME}", hint=NAME)

    monkeypatch.setattr(backend, "generate", fail)
    job = await site.draw()
    assert job["status"] == "failed"
    assert "\ufffd\ufffdmodel.safetensors" in job["error"]["message"]
    for path in LISTS:
        assert (await site.client.get(path)).status_code == 200
