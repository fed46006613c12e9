"""AUTOMATIC1111, Forge and their forks, over their HTTP API (`--api`)."""
