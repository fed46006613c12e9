"""Flux apps of Pinokio and other gradio apps that take a prompt and give a picture (gradio 4, 5 and 6)."""

from backends.gradio_flux.backend import GradioFluxBackend
from backends.registry import register

__all__ = ["GradioFluxBackend"]

register(GradioFluxBackend.kind)(GradioFluxBackend)
