"""Jobs on one server, by whichever of ComfyUI's two APIs it answers."""
