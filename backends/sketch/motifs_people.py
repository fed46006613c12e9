"""x."""
MOTIFS = {}
