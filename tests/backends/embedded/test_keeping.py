"""Models are fetched from a hub on this machine that breaks off; agreed to first, resumed, checked, removed."""

import json
from collections import namedtuple

import pytest

import main
from app import models as app_models
from backends.embedded.models import keeping
from backends.embedded.models.disk import look_for_models
from backends.embedded.models.keeping import ModelKeeper
from backends.embedded.models.known import KnownModel, known_models
from config import read_settings
from console.models import Meter, ModelCommand, keep_models
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, GenerationError, RequestRejected
from net.hub import ModelHub
from tests.backends.embedded.hub_server import LocalHub
from tests.backends.embedded.shelves import put_control, put_file, put_gguf, put_in_hub

INDEX = json.dumps({"_class_name": "StableDiffusionPipeline"}).encode()
WEIGHTS = bytes(range(256)) * 8000
FILES = {
    "model_index.json": INDEX, "unet/config.json": b"{}", "unet/diffusion_pytorch_model.fp16.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS * 2, "README.md": b"read me", "LICENSE.md": b"Do no harm.",
}  # fmt: skip
SD15 = known_models()["sd15"]
Usage = namedtuple("Usage", "total used free")


async def no_sleep(seconds):
    assert seconds <= 60


def keeper_of(hub, folder, token=""):
    cache = folder / "hub"
    return ModelKeeper(ModelHub(hub.url, token, sleep=no_sleep), cache, lambda: look_for_models((), cache))


async def pull(keeper, model=SD15, came=None):
    came = [] if came is None else came
    await keeper.pull(await keeper.plan(model), came.append)
    await keeper.aclose()
    return came


async def test_the_files_that_are_needed_come_and_the_model_is_found(tmp_path):
    async with LocalHub(FILES).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        plan = await keeper.plan(SD15)
        assert plan.size == plan.left == len(INDEX) + 2 + len(WEIGHTS)
        assert [target for target, _ in hub.requests] == [f"/api/models/{SD15.repo}/revision/main"], "nothing came yet"
        came = await pull(keeper)
    assert sum(came) == plan.size
    assert [model.name for model in keeper.shelf().models] == ["sd15"]
    assert keeper.has(SD15)
    assert keeper.verify(SD15) == []
    files = {str(path.relative_to(tmp_path / "hub")) for path in (tmp_path / "hub").rglob("*") if path.is_symlink()}
    place = f"models--stable-diffusion-v1-5--stable-diffusion-v1-5/snapshots/{'c' * 40}"
    assert files == {
        f"{place}/model_index.json", f"{place}/unet/config.json",
        f"{place}/unet/diffusion_pytorch_model.fp16.safetensors",
    }  # fmt: skip


async def test_a_connection_that_breaks_off_is_taken_up_where_it_was(tmp_path):
    async with LocalHub(FILES, breaks=[500_000, 100_000, 700_000]).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        came = await pull(keeper)
        ranges = [headers["range"] for target, headers in hub.requests if "range" in headers]
    assert len(ranges) == 3
    assert ranges[0] == "bytes=500000-"
    assert sum(came) == len(INDEX) + 2 + len(WEIGHTS)
    assert keeper.verify(SD15) == []


async def test_what_broke_off_for_good_is_no_model_yet_and_the_next_pull_goes_on(tmp_path):
    async with LocalHub(FILES, breaks=[1000] + [0] * 20).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        with pytest.raises(BackendUnavailable, match="breaks off again and again") as caught:
            await pull(keeper)
        assert "goes on where it stopped" in caught.value.hint
        assert keeper.shelf().models == ()
        assert not keeper.has(SD15)
    async with LocalHub(FILES).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        plan = await keeper.plan(SD15)
        assert plan.left == len(WEIGHTS) - 1000
        assert sum(await pull(keeper)) == plan.left
    assert keeper.has(SD15)


async def test_a_hub_that_redirects_and_wants_a_token_gets_it(tmp_path):
    async with LocalHub(FILES, token="hf_secret", redirects=True).run() as hub:
        await pull(keeper_of(hub, tmp_path, token="hf_secret"))
    async with LocalHub(FILES, token="hf_secret").run() as hub:
        with pytest.raises(BackendAuthError, match="agreed to its terms") as caught:
            await pull(keeper_of(hub, tmp_path / "other"))
    assert "HF_TOKEN" in caught.value.hint


async def test_content_that_is_not_what_was_named_is_thrown_away(tmp_path):
    async with LocalHub(FILES, lies=True).run() as hub:
        with pytest.raises(BackendError, match="came damaged"):
            await pull(keeper_of(hub, tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 1000]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [(404, RequestRejected, "has no"), (401, BackendAuthError, "agreed"), (503, BackendUnavailable, "HTTP 503")],
)
async def test_what_the_hub_refuses_is_said(tmp_path, status, error, words):
    async with LocalHub(FILES, status=status).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        with pytest.raises(error, match=words):
            await keeper.plan(SD15)
        await keeper.aclose()


async def test_too_little_room_is_said_before_anything_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "free_bytes", lambda folder: int(1.1 * len(WEIGHTS)))
    async with LocalHub(FILES).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        with pytest.raises(GenerationError, match="GB free, and sd15 needs") as caught:
            await keeper.plan(SD15)
        assert "HF_HOME" in caught.value.hint
        assert len(hub.requests) == 1
        await keeper.aclose()


async def test_a_file_that_was_damaged_is_found_and_a_model_is_removed(tmp_path):
    async with LocalHub(FILES).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        await pull(keeper)
    (blob,) = [path for path in (tmp_path / "hub").rglob("blobs/*") if path.stat().st_size > 1000]
    blob.write_bytes(b"damaged")
    assert keeper.verify(SD15) == ["unet/diffusion_pytorch_model.fp16.safetensors"]
    assert keeper.remove(SD15) > 0
    assert not keeper.has(SD15)
    for ask in (keeper.remove, keeper.verify):
        with pytest.raises(RequestRejected, match="sd15 is not on this machine"):
            ask(SD15)


async def test_a_path_that_leads_out_of_the_cache_is_left_out(tmp_path):
    evil = {"../../evil.json": b"x", "/etc/evil.json": b"x", **FILES}
    async with LocalHub(evil).run() as hub:
        keeper = keeper_of(hub, tmp_path)
        plan = await keeper.plan(KnownModel(**{**SD15.__dict__, "only": ("*", "*/*", "*/*/*")}))
        assert {file.path for file in plan.hub.files} == {*FILES}
        await keeper.aclose()


# -- the command ------------------------------------------------------------------------------------------------------


async def run(tmp_path, action, name="", *, hub=None, ask=None, yes=False):
    hub = hub or LocalHub(FILES)
    async with hub.run():
        keeper = keeper_of(hub, tmp_path)
        command = ModelCommand(action=action, name=name, has_agreed=yes)
        code = await keep_models(keeper, command, ask)
        await keeper.aclose()
    return code


async def test_size_and_licence_are_agreed_to_before_the_first_byte(tmp_path, capsys):
    asked = []

    def no(question):
        asked.append(question)
        return "n"

    hub = LocalHub(FILES)
    assert await run(tmp_path, "pull", "sd15", hub=hub, ask=no) == 1
    printed = capsys.readouterr().err
    assert "Stable Diffusion 1.5: 0.0 of 0.0 GB are to be fetched." in printed
    assert "Licence: CreativeML OpenRAIL-M, https://" in printed
    assert asked == ["Do you agree, and is it to be fetched now? [y/N] "]
    assert len(hub.requests) == 1
    assert await run(tmp_path, "pull", "sd15", ask=lambda question: "yes") == 0
    assert "sd15 is here." in capsys.readouterr().err
    assert await run(tmp_path, "pull", "sd15", ask=no) == 0
    assert "here already" in capsys.readouterr().err


async def test_where_nobody_sits_it_takes_a_word_on_the_command_line(tmp_path, capsys):
    assert await run(tmp_path, "pull", "sd15") == 2
    assert "--yes" in capsys.readouterr().err
    assert await run(tmp_path, "pull", "sd15", yes=True) == 0


async def test_terms_that_are_not_free_are_said(tmp_path, capsys):
    assert await run(tmp_path, "licence", "flux-dev") == 0
    printed = capsys.readouterr().err
    assert "not for commercial use" in printed
    assert "HF_TOKEN" in printed


async def test_what_is_loaded_into_another_model_wants_that_first(tmp_path, capsys):
    assert await run(tmp_path, "pull", "sdxl-lightning", yes=True) == 2
    assert "sdxl-lightning is loaded into sdxl: fetch that first." in capsys.readouterr().err


async def test_models_are_listed_offered_checked_and_removed(tmp_path, capsys):
    assert await run(tmp_path, "list") == 0
    assert "No model yet" in capsys.readouterr().err
    assert await run(tmp_path, "pull") == 0
    assert "flux-schnell: FLUX.1 schnell, 33.7 GB, Apache-2.0" in capsys.readouterr().out
    await run(tmp_path, "pull", "sd15", yes=True)
    assert await run(tmp_path, "list") == 0
    assert "sd15: Stable Diffusion 1.5, 0.0 GB" in capsys.readouterr().out
    assert await run(tmp_path, "verify", "sd15") == 0
    assert await run(tmp_path, "remove", "sd15") == 0
    assert await run(tmp_path, "verify", "sd15") == 2
    assert await run(tmp_path, "remove", "horse") == 2
    assert "There are sd15, sdxl," in capsys.readouterr().err


async def test_control_nets_are_listed_and_files_that_lack_a_model_of_their_family(tmp_path, capsys):
    put_file(tmp_path / "dream.safetensors", "conditioner.embedders.1.model.ln_final.weight")
    put_gguf(tmp_path / "old.gguf", {"input_blocks.0.0.weight": (32, 4, 3, 3)})
    put_control(tmp_path / "sdxl-canny", 2048)
    keeper = ModelKeeper(
        ModelHub("http://127.0.0.1:9"), tmp_path / "hub", lambda: look_for_models((tmp_path,), tmp_path)
    )
    await keep_models(keeper, ModelCommand(action="list"), None)
    printed = capsys.readouterr()
    assert "ControlNet sdxl-canny: canny" in printed.out
    assert "dream is a model of the family sdxl in one file: fetch one of that family as well" in printed.err
    assert "old.gguf cannot be drawn with: of this family only .safetensors files can be read" in printed.err
    await keeper.aclose()


def test_progress_is_shown_in_parts_of_the_way(capsys):
    now = [0.0]
    meter = Meter(1_000_000_000, clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.1
        meter.add(10_000_000)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 10
    assert "100% of 1.0 GB, 100.0 MB a second" in lines[-1]


def test_the_command_line_asks_the_hub_and_the_folder_that_are_set(tmp_path, monkeypatch, capsys):
    given = {
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_TOKEN": "hf_secret",
        "PROBE_LOCAL_PORTS": "false",
    }
    settings = read_settings(tmp_path / "none", given)
    assert "hf_secret" in settings.secrets()
    keeper = app_models.make_keeper(settings)
    assert keeper._folder == tmp_path / "hub"
    assert str(keeper._hub._client.base_url) == "http://127.0.0.1:9"
    assert keeper._hub._client.headers["Authorization"] == "Bearer hf_secret"
    put_in_hub(tmp_path / "hub", SD15.repo, "sd15")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", given)
    assert main.main(["models", "list"]) == 0
    assert "sd15: Stable Diffusion 1.5" in capsys.readouterr().out
    assert main.main(["models", "licence"]) == 2


def test_sdxl_lightning_is_sdxl_with_a_lora_and_four_steps(tmp_path):
    lightning, sdxl = known_models()["sdxl-lightning"], known_models()["sdxl"]
    place = put_in_hub(tmp_path, lightning.repo, "none")
    (place / "model_index.json").unlink()
    (place / "sdxl_lightning_4step_lora.safetensors").touch()
    assert look_for_models((), tmp_path).models == ()
    put_in_hub(tmp_path, sdxl.repo, "sdxl")
    found = {model.name: model for model in look_for_models((), tmp_path).models}
    assert [*found] == ["sdxl", "sdxl-lightning"]
    quick = found["sdxl-lightning"]
    assert (quick.steps, quick.cfg_scale, quick.lora.name) == (4, 1.0, "sdxl_lightning_4step_lora.safetensors")
    assert quick.path == found["sdxl"].path
