"""Measurements. Each figure stands beside its own yardstick, taken in the same run on the same machine."""
