"""The machine that would draw, as its drivers tell, and which models fit it; what `doctor` says of it."""

from dataclasses import replace

import pytest

from app import machine as app_machine
from app.machine import check_machine
from backends.embedded.models import machine
from backends.embedded.models.known import known_models
from backends.embedded.models.machine import Gpu, OwnMachine, Room, look_at_machine
from config import read_settings
from tests.backends.embedded.shelves import put_gguf, put_model

SMALL = Gpu(name="NVIDIA GeForce RTX 3060", driver="580.65", total_mb=12_288, free_mb=11_000)
NVIDIA_SAID = "NVIDIA GeForce RTX 3060, 580.65, 12288, 11000\nNVIDIA H200, 580.65, 143771, 143000\n"


@pytest.mark.parametrize(
    ("gpus", "memory_mb", "rooms"),
    [
        ((SMALL,), 64_000, {"sd15": "whole", "sdxl": "whole", "flux2-klein": "eight_bits", "flux-dev": "layers"}),
        ((Gpu(name="g", total_mb=17_000),), 64_000, {"flux2-klein": "whole", "sd3-medium": "eight_bits"}),
        ((SMALL,), 8_000, {"sd15": "whole", "flux-dev": "none"}),
        ((), 16_000, {"sd15": "processor", "sdxl": "processor", "flux2-klein": "none"}),
        ((), None, {"flux-dev": "processor"}),
        ((Gpu(name="old", total_mb=2_000),), 16_000, {"sd15": "layers"}),
    ],
)
def test_a_model_fits_by_the_memory_of_gpu_and_machine(gpus, memory_mb, rooms):
    found = OwnMachine(gpus=gpus, memory_mb=memory_mb)
    assert {name: str(found.room_of(known_models()[name])) for name in rooms} == rooms
    assert found.words_for(known_models()["sd15"])


def test_a_gpu_without_memory_of_its_own_has_the_machines():
    found = OwnMachine(gpus=(Gpu(name="Apple GPU", total_mb=16_000),), memory_mb=16_000, is_shared=True)
    assert found.room_of(known_models()["sdxl"]) is Room.WHOLE
    assert found.room_of(known_models()["flux-dev"]) is Room.NONE


def test_gpus_are_read_from_what_their_drivers_say(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_run", lambda command: NVIDIA_SAID)
    monkeypatch.setattr(machine, "DRM", tmp_path)
    assert look_at_machine(tmp_path).gpus[0] == SMALL
    assert [gpu.name for gpu in look_at_machine(tmp_path, "1").gpus] == ["NVIDIA H200"]
    assert look_at_machine(tmp_path).disk_mb > 0
    device = tmp_path / "card0" / "device"
    device.mkdir(parents=True)
    for name, text in (("vendor", "0x1002"), ("mem_info_vram_total", str(16 * 2**30)), ("mem_info_vram_used", "0"),
                       ("product_name", "Radeon RX 7800")):  # fmt: skip
        (device / name).write_text(text + "\n")
    monkeypatch.setattr(machine, "_run", lambda command: "NVIDIA-SMI has failed\n")
    (gpu,) = look_at_machine(tmp_path).gpus
    assert (gpu.name, gpu.total_mb, gpu.free_mb) == ("Radeon RX 7800", 16_384, 16_384)


def test_a_driver_that_hangs_or_is_not_there_is_no_gpu():
    assert machine._run(("no-such-program-here",)) == ""
    assert machine._run(("false",)) == ""


async def doctor_says(tmp_path, monkeypatch, found, *, is_there=True, **given):
    """Return what `doctor` says of a machine, by the names of its checks."""
    values = {"PROBE_LOCAL_PORTS": "false", "HF_HOME": str(tmp_path / "hf"), **given}
    settings = read_settings(tmp_path / "none", values)
    make = app_machine.make_keeper

    def make_keeper(settings):
        keeper = make(settings)
        keeper._look = lambda: found
        return keeper

    kind = app_machine.model_kind()
    monkeypatch.setattr(app_machine, "model_kind", lambda: replace(kind, is_there=lambda: is_there))
    monkeypatch.setattr(app_machine, "make_keeper", make_keeper)
    return {check.name: check for check in await check_machine(settings)}


async def test_doctor_names_gpu_driver_memory_disk_and_what_fits(tmp_path, monkeypatch):
    put_model(tmp_path / "models" / "fox", "sd15", mb=2000)
    here = OwnMachine(gpus=(SMALL,), memory_mb=30_000, disk_mb=20_000)
    found = await doctor_says(tmp_path, monkeypatch, here, MODEL_PATH=str(tmp_path / "models"))
    assert found["GPU"].message == "NVIDIA GeForce RTX 3060, driver 580.65, 12.3 GB, 11.0 GB free"
    assert found["memory"].message == "30.0 GB of memory are free; 20 GB on the disk where models are kept"
    assert found["model that draws"].message == "fox: fits the GPU whole"
    assert found["models"].message == (
        "whole on the GPU: sd15, sdxl, sdxl-lightning; in 8 bits: flux2-klein; "
        "layer by layer, slowly: sd3-medium, z-image-turbo; on the processor, slowly: lcm-dreamshaper; "
        "too large: flux-schnell, flux-dev; no room on the disk: flux-schnell, flux-dev, z-image-turbo"
    )
    assert all(check.is_ok for check in found.values())


async def test_doctor_names_files_that_cannot_be_drawn_with(tmp_path, monkeypatch):
    put_gguf(tmp_path / "models" / "tight.gguf", {"double_blocks.0.w": (1,), "single_blocks.0.w": (1,)}, packing=17)
    found = await doctor_says(tmp_path, monkeypatch, OwnMachine(), MODEL_PATH=str(tmp_path / "models"))
    assert (found["tight.gguf"].is_ok, found["tight.gguf"].message) == (
        False, "It cannot be drawn with: its weights are packed as IQ2_XS, which cannot be read here",
    )  # fmt: skip


async def test_doctor_says_when_the_chosen_model_is_too_large_or_not_there(tmp_path, monkeypatch):
    put_model(tmp_path / "models" / "fox", "flux", mb=9000)
    given = {"MODEL_PATH": str(tmp_path / "models"), "EMBEDDED_MODEL": "horse"}
    found = await doctor_says(tmp_path, monkeypatch, OwnMachine(memory_mb=4_000), **given)
    assert "the processor draws" in found["GPU"].message
    assert not found["EMBEDDED_MODEL"].is_ok
    assert "there is fox" in found["EMBEDDED_MODEL"].message
    assert (found["model that draws"].is_ok, found["model that draws"].message) == (
        False, "fox: too large for this machine",
    )  # fmt: skip


async def test_doctor_says_what_a_gpu_could_do_where_the_packages_are_missing(tmp_path, monkeypatch):
    found = await doctor_says(tmp_path, monkeypatch, OwnMachine(gpus=(SMALL,)), is_there=False)
    assert "RTX 3060" in found["built-in engine"].message
    assert "make run GPU=1" in found["built-in engine"].message


async def test_doctor_finds_torch_that_was_built_for_processors(tmp_path, monkeypatch):
    monkeypatch.setattr(app_machine, "version", lambda name: "2.13.0+cpu")
    found = await doctor_says(tmp_path, monkeypatch, OwnMachine(gpus=(SMALL,)))
    assert not found["GPU"].is_ok
    assert "pip install torch" in found["GPU"].hint
