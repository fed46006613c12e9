"""The graphs that Easel brings along."""
