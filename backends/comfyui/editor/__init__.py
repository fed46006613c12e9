"""The format of ComfyUI's own editor, which its API does not run: read, and converted by what a server says."""

from backends.comfyui.editor.convert import convert
from backends.comfyui.editor.saved import is_saved

__all__ = ["convert", "is_saved"]
