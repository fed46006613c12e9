"""Folders that look like models of each family, without weights."""

import json
import struct

CLASSES = {
    "sd15": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline", "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline", "flux2-klein": "Flux2KleinPipeline", "z-image": "ZImagePipeline",
}  # fmt: skip


def put_model(folder, family, *, mb=0, guidance=None, width=0, config=None):
    """Make a folder that is recognised as a model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": CLASSES.get(family, family)}))
    (folder / "unet").mkdir(exist_ok=True)
    (folder / "unet" / "config.json").write_text(json.dumps({"cross_attention_dim": width} if width else {}))
    with open(folder / "unet" / "weights.safetensors", "wb") as file:
        file.truncate(mb * 2**20)
    if guidance is not None or config is not None:
        (folder / "transformer").mkdir(exist_ok=True)
        values = ({} if guidance is None else {"guidance_embeds": guidance}) | (config or {})
        (folder / "transformer" / "config.json").write_text(json.dumps(values))
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


def put_control(folder, width, class_name="ControlNetModel"):
    """Make a folder that is recognised as a ControlNet, if its name says what for."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"_class_name": class_name, "cross_attention_dim": width}))
    return folder


def put_file(path, *names, **shapes):
    """Make a file of weights of these names, and perhaps shapes, without any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes = dict.fromkeys(names, (0,)) | shapes
    facts = {name: {"dtype": "F16", "shape": [*shape], "data_offsets": [0, 0]} for name, shape in shapes.items()}
    header = json.dumps(facts).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def put_gguf(path, shapes, *, packing=8, values=()):
    """Make a `.gguf` file of weights of these names and shapes, without any; `packing` is ggml's number, 8 for Q8_0."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(values))
    for name, kind, data in values:
        head += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + data
    for name, shape in shapes.items():
        head += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", packing, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head)
    return path
