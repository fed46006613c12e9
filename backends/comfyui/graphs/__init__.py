"""Graphs in the format of ComfyUI's API: what is in them, and what a server says of their nodes."""
