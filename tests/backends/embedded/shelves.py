"""Folders that look like models of each family, without weights."""

import json

CLASSES = {
    "sd15": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline", "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline", "flux2-klein": "Flux2KleinPipeline", "z-image": "ZImagePipeline",
}  # fmt: skip


def put_model(folder, family, *, mb=0, guidance=None):
    """Make a folder that is recognised as a model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": CLASSES.get(family, family)}))
    (folder / "unet").mkdir(exist_ok=True)
    with open(folder / "unet" / "weights.safetensors", "wb") as file:
        file.truncate(mb * 2**20)
    if guidance is not None:
        (folder / "transformer").mkdir(exist_ok=True)
        (folder / "transformer" / "config.json").write_text(json.dumps({"guidance_embeds": guidance}))
    return folder


def put_in_hub(hub, repo, family, revision="0" * 40, **more):
    """Make a folder as the hub's cache has it."""
    folder = hub / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(revision)
    return put_model(folder / "snapshots" / revision, family, **more)


def put_lora(folder, name):
    (folder / "loras").mkdir(parents=True, exist_ok=True)
    (folder / "loras" / f"{name}.safetensors").write_bytes(b"")
