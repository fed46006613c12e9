"""The HTTP door: Easel's own API with the web studio, and the dialects of the systems it unites."""
