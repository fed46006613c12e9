"""Nodes that many people have, as their servers describe them, and graphs to put them into."""

from tests.backends.comfyui.graph_lines import LATENT, LOADER, SAMPLER, SAVED, SETTINGS, WORDS, described, info_of
from tests.backends.comfyui.test_cases import NODES
from tests.engines.comfyui_engine import DATA, recorded

CLASSES = described((DATA / "wild-nodes.txt").read_text())
INFO = info_of(recorded("object_info"), *NODES, CLASSES)
PLAIN = (LOADER, WORDS, LATENT, SAMPLER, SAVED)
CONTEXT = "40 'Context (rgthree)' model=@4.0 clip=@4.1 vae=@4.2 positive=@6.0 negative=@7.0 latent=@5.0"
FROM_CONTEXT = "3 KSampler " + SETTINGS + " model=@{0}.1 positive=@{0}.4 negative=@{0}.5 latent_image=@{0}.6"
EFFICIENT = (
    "1 'Eff. Loader SDXL' base_ckpt_name=sd15_tiny.safetensors refiner_ckpt_name=b.safetensors positive='a castle'"
    " negative=ugly empty_latent_width=512 empty_latent_height=768 batch_size=1",
    "3 'KSampler SDXL (Eff.)' sdxl_tuple=@1.0 latent_image=@1.1 noise_seed=1 steps=20 cfg=7 sampler_name=euler",
    "9 SaveImage images=@3.3 filename_prefix=x",
)
EASY = (
    "1 'easy fullLoader' ckpt_name=sd15_tiny.safetensors resolution='width x height (custom)' empty_latent_width=512"
    " empty_latent_height=768 positive='a castle' negative=ugly",
    f"3 'easy fullkSampler' pipe=@1.0 {SETTINGS}",
)
