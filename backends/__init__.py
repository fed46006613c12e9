"""Engines: one file (or small package) each, which translates names and errors and nothing else."""

import sys

# httpx would load its own command line too, with pygments and much of rich: a tenth of the time Easel takes to start
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
