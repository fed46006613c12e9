"""Real models inside Easel: a child process draws with diffusers and torch, on a GPU or the processor."""
