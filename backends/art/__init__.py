"""Neural networks inside Easel, on this machine's CPU: they come as packages, and no server has to be started."""
