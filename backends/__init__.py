"""Engines: one file (or small package) each, which translates names and errors and nothing else."""
