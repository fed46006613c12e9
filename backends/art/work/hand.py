"""The child process: `python -m backends.art.work.hand` takes the orders of `backends/art/backend.py`, one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

from backends.art.work.networks import NetworkDamaged
from backends.art.work.restyling import restyle
from backends.art.work.scoring import score
from backends.art.work.upscaling import upscale
from backends.child_side import Blobs, OrderRefused, Reporter, serve
from texts.text import _
from utils.pixels import BadImage


def work(order: Mapping[str, Any], blobs: Blobs, reporter: Reporter) -> tuple[Mapping[str, Any], Sequence[bytes]]:
    """Carry one order out.

    Raises:
        OrderRefused: the picture cannot be read, or the network's files are damaged.
    """
    try:
        match order["do"]:
            case "restyle":
                return restyle(order, blobs, reporter)
            case "score":
                return score(order, blobs[0], reporter)
            case _:
                return upscale(order, blobs[0], reporter)
    except BadImage as error:
        raise OrderRefused(str(error), field="init_image") from error
    except NetworkDamaged as error:
        hint = _("Install it again: delete the folder .venv and run `make run ART=1`.")
        raise OrderRefused(f"{error} {hint}") from error


if __name__ == "__main__":
    serve(work)
