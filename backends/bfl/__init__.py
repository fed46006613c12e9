"""Black Forest Labs' own API for Flux, v1."""
