"""ComfyUI, over its HTTP API, with its websocket for progress."""
