"""Writes the part of a tiny model that draws as a `.gguf` file, as people share them."""

import gguf
import torch
from gguf import GGMLQuantizationType as Kind
from safetensors.torch import load_file


def packed(folder, target, *, kind=Kind.Q8_0, names=lambda weights: weights, factor=1.0):
    """Pack the layers of a model's transformer, and keep what is small in 32 bits; `names` renames its weights."""
    weights = names(load_file(next((folder / "transformer").glob("*.safetensors"))))
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(target), arch="flux")
    for name, values in weights.items():
        numbers = (values.float() * factor).numpy()
        is_layer = numbers.ndim == 2 and numbers.shape[-1] % 32 == 0 and "pad_token" not in name
        if is_layer or kind is Kind.BF16:
            writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


RENAMED = (
    ("all_final_layer.2-1.", "final_layer."), ("all_x_embedder.2-1.", "x_embedder."), (".to_out.0.", ".out."),
    (".norm_k.", ".k_norm."), (".norm_q.", ".q_norm."),
)  # fmt: skip


def first_authors(weights):
    """Return the weights of a Z-Image by the names of its first authors, who keep three of attention together.

    Those of FLUX.1 go into the library by sizes that a tiny one has not.
    """
    found, together = {}, {}
    for name, values in weights.items():
        for ours, theirs in RENAMED:
            name = name.replace(ours, theirs)
        layer, _, part = name.rpartition(".attention.to_")
        if layer:
            together.setdefault(layer, {})[part] = values
        else:
            found[name] = values
    for layer, parts in together.items():
        found[f"{layer}.attention.qkv.weight"] = torch.cat([parts[f"{part}.weight"] for part in "qkv"])
    return found
