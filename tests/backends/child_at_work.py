"""A child process for tests: carries out what its orders name, or fails as they say."""

import os
import signal
import sys
import time

from backends.child_side import OrderRefused, Reporter, serve


def work(order, blobs, reporter: Reporter):
    """Do what `order["do"]` says."""
    match order["do"]:
        case "echo":
            print("a library that prints")
            reporter.report(half=0.5)
            return {"pid": os.getpid(), "names": sorted(os.environ)}, blobs
        case "stand still":
            time.sleep(60)
        case "show":
            reporter.report(b"a preview", step=1)
            return {"names": sorted(os.environ), "turn": os.environ.get("TURN")}, []
        case "step slowly":
            for step in range(3):
                reporter.report(step=step)
                time.sleep(order["seconds"])
        case "go on":
            while True:
                reporter.report(turn=1)
                time.sleep(0.005)
        case "refuse":
            raise OrderRefused("That is no picture.", field="init_image")
        case "run out of memory":
            raise MemoryError("it needs 900 MB, and 20 MB are free")
        case "go wrong":
            raise KeyError("seed")
        case "abort":
            print("terminate called", file=sys.stderr, flush=True)
            os.abort()
        case "leave a fork":
            if fork := os.fork():
                return {"fork": fork}, []
            time.sleep(60)
        case "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
    return {}, []


if __name__ == "__main__":
    serve(work, beat_s=float(os.environ["BEAT_S"]) if "BEAT_S" in os.environ else None)
