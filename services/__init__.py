"""Use cases, one file each: what every front door may ask for."""
