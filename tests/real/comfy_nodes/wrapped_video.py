"""Nodes in the way of a wrapper around a video model, and of a node that joins pictures to a video.

A wrapper brings its own types: its sampler takes no CONDITIONING and no LATENT, and both texts are in one node. The
film is the sampler's frames, drawn by the still model behind `model`.
"""

from pathlib import Path

import av
import folder_paths
import nodes


class TextEncode:
    RETURN_TYPES = ("WANVIDEOTEXTEMBEDS",)
    RETURN_NAMES = ("text_embeds",)
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        words = ("STRING", {"default": "", "multiline": True})
        return {"required": {"positive_prompt": words, "negative_prompt": words}, "optional": {"t5": ("CLIP",)}}

    def run(self, positive_prompt, negative_prompt, t5=None):
        encode = nodes.CLIPTextEncode().encode
        return ({"positive": encode(t5, positive_prompt)[0], "negative": encode(t5, negative_prompt)[0]},)


class EmptyEmbeds:
    RETURN_TYPES = ("WANVIDIMAGE_EMBEDS",)
    RETURN_NAMES = ("image_embeds",)
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        side = ("INT", {"default": 832, "min": 64, "max": 8096, "step": 8})
        frames = ("INT", {"default": 81, "min": 1, "max": 10000, "step": 4})
        return {"required": {"width": side, "height": side, "num_frames": frames}}

    def run(self, width, height, num_frames):
        return (nodes.EmptyLatentImage().generate(width, height, num_frames)[0],)


class Sampler:
    RETURN_TYPES = ("LATENT",)
    RETURN_NAMES = ("samples",)
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "model": ("MODEL",),
                "image_embeds": ("WANVIDIMAGE_EMBEDS",),
                "steps": ("INT", {"default": 30, "min": 1}),
                "cfg": ("FLOAT", {"default": 6.0, "min": 0.0, "max": 30.0, "step": 0.01}),
                "shift": ("FLOAT", {"default": 5.0, "min": 0.0, "max": 1000.0, "step": 0.01}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 0xFFFFFFFFFFFFFFFF}),
                "scheduler": (["unipc", "euler", "dpm++"],),
            },
            "optional": {"text_embeds": ("WANVIDEOTEXTEMBEDS",)},
        }

    def run(self, model, image_embeds, steps, cfg, shift, seed, scheduler, text_embeds):
        positive, negative = text_embeds["positive"], text_embeds["negative"]
        return nodes.common_ksampler(model, seed, steps, cfg, "euler", "normal", positive, negative, image_embeds)


class VideoCombine:
    """Reports its file as one of `gifs`, with its full path beside it."""

    RETURN_TYPES = ("VHS_FILENAMES",)
    RETURN_NAMES = ("Filenames",)
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "images": ("IMAGE",),
                "frame_rate": ("FLOAT", {"default": 8, "min": 1, "step": 1}),
                "loop_count": ("INT", {"default": 0, "min": 0, "max": 100, "step": 1}),
                "filename_prefix": ("STRING", {"default": "AnimateDiff"}),
                "format": (["image/gif", "image/webp", "video/h264-mp4", "video/webm"],),
                "pingpong": ("BOOLEAN", {"default": False}),
                "save_output": ("BOOLEAN", {"default": True}),
            }
        }

    def run(self, images, frame_rate, loop_count, filename_prefix, format, pingpong, save_output):
        root = folder_paths.get_output_directory()
        height, width = images[0].shape[:2]
        folder, stem, number, below, _ = folder_paths.get_save_image_path(filename_prefix, root, width, height)
        path = Path(folder) / f"{stem}_{number:05}.mp4"
        with av.open(str(path), "w") as film:
            stream = film.add_stream("h264", rate=int(frame_rate))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for image in images:
                pixels = (image.clamp(0, 1) * 255).byte().cpu().numpy()
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            film.mux(stream.encode())
        reported = {
            "filename": path.name, "subfolder": below, "type": "output", "format": format, "frame_rate": frame_rate,
            "workflow": "", "fullpath": str(path),
        }  # fmt: skip
        return {"ui": {"gifs": [reported]}, "result": ((save_output, [str(path)]),)}


CLASSES = {
    "WanVideoTextEncode": TextEncode,
    "WanVideoEmptyEmbeds": EmptyEmbeds,
    "WanVideoSampler": Sampler,
    "VHS_VideoCombine": VideoCombine,
}
