"""Flux apps of Pinokio and other gradio apps that take a prompt and give a picture (gradio 4, 5 and 6)."""
