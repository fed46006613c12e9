"""ControlNets for the tiny models, and a tiny model in a single file with the names that the first authors gave."""

import re

import torch
from diffusers import (
    ControlNetModel,
    FluxControlNetModel,
    SD3ControlNetModel,
    StableDiffusion3Pipeline,
    ZImageControlNetModel,
    ZImagePipeline,
)
from safetensors.torch import load_file, save_file

OUTER = ("after_proj", "before_proj", "pos_embed_input")  # layers that begin with nothing


def control(base, folder):
    """Save a ControlNet for a model that is in memory. Fresh ones change nothing: its outputs are drawn by chance."""
    torch.manual_seed(1)
    if hasattr(base, "unet"):
        made = ControlNetModel.from_unet(base.unet, conditioning_embedding_out_channels=(16, 32))
    elif isinstance(base, StableDiffusion3Pipeline):
        made = SD3ControlNetModel.from_transformer(
            base.transformer, num_layers=1, num_extra_conditioning_channels=0, load_weights_from_transformer=False
        )
    elif isinstance(base, ZImagePipeline):
        made = ZImageControlNetModel(
            control_layers_places=[0], control_refiner_layers_places=[0], control_in_dim=4, dim=32, n_refiner_layers=1,
            n_heads=2, n_kv_heads=2, add_control_noise_refiner="control_noise_refiner",
        )  # fmt: skip
    else:
        made = FluxControlNetModel.from_transformer(
            base.transformer, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2
        )
    with torch.no_grad():
        for name, values in made.named_parameters():
            if "controlnet" in name or any(part in name for part in OUTER):
                values.copy_(torch.randn_like(values) * 0.3)
    made.save_pretrained(folder)
    return folder


def one_file(folder, target):
    """Write the weights of a folder of Stable Diffusion 1.5 as one file, by the names of its first authors."""
    unet, vae, words = (
        load_file(next((folder / part).glob("*.safetensors"))) for part in ("unet", "vae", "text_encoder")
    )
    weights = {f"model.diffusion_model.{_unet(name)}": values for name, values in unet.items()}
    weights |= {f"first_stage_model.{_vae(name)}": _square(name, values) for name, values in vae.items()}
    for name, values in words.items():
        weights[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = values
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: values.contiguous() for name, values in weights.items()}, target)
    return target


RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
UNET = (
    (r"^time_embedding\.linear_1", "time_embed.0"), (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^conv_in", "input_blocks.0.0"), (r"^conv_norm_out", "out.0"), (r"^conv_out", "out.2"),
    (r"^mid_block\.resnets\.0", "middle_block.0"), (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
)  # fmt: skip


def _unet(name):
    """Return the first authors' name; a block has one layer on the way down and two on the way up."""
    for pattern, other in UNET:
        if re.match(pattern, name):
            return _resnet(re.sub(pattern, other, name))
    side, level, kind, number, rest = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name).groups()
    level, number = int(level), int(number)
    if side == "down":
        place = f"input_blocks.{2 * level + number + 1}"
        if kind == "downsamplers":
            return f"input_blocks.{2 * (level + 1)}.0.op{rest.removeprefix('conv')}"
    else:
        place = f"output_blocks.{2 * level + number}"
        if kind == "upsamplers":
            return f"output_blocks.{2 * level + 1}.{2 if level == 0 else 1}.conv{rest.removeprefix('conv')}"
    return _resnet(f"{place}.{1 if kind == 'attentions' else 0}.{rest}")


def _resnet(name):
    if "transformer_blocks" in name or "proj_" in name or ".norm." in name:
        return name
    for ours, theirs in RESNET.items():
        name = re.sub(rf"\.{ours}\.", f".{theirs}.", name)
    return name


VAE = (
    (r"encoder\.down_blocks\.(\d)\.resnets\.(\d)", r"encoder.down.\1.block.\2"),
    (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample"),
    (r"mid_block\.resnets\.0", "mid.block_1"), (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"), (r"mid_block\.attentions\.0\.to_q", "mid.attn_1.q"),
    (r"mid_block\.attentions\.0\.to_k", "mid.attn_1.k"), (r"mid_block\.attentions\.0\.to_v", "mid.attn_1.v"),
    (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"), (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
)  # fmt: skip


def _vae(name):
    name = re.sub(r"decoder\.up_blocks\.(\d)\.resnets", lambda m: f"decoder.up.{1 - int(m[1])}.block", name)
    name = re.sub(r"decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f"decoder.up.{1 - int(m[1])}.upsample", name)
    for ours, theirs in VAE:
        name = re.sub(ours, theirs, name)
    return name


def _square(name, values):
    is_flat = re.search(r"attentions\.0\.to_(q|k|v|out\.0)\.weight", name)
    return values[:, :, None, None] if is_flat else values
