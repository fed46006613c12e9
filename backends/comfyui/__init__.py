"""ComfyUI, over its HTTP API, with its websocket for progress."""

from backends.comfyui.backend import ComfyUIBackend
from backends.registry import register

__all__ = ["ComfyUIBackend"]

register(ComfyUIBackend.kind)(ComfyUIBackend)
