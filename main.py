"""Start Easel: what is asked for on the command line is done by `app`."""

import os
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):  # before the imports, which older ones cannot even read
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"Easel needs Python 3.11, 3.12, 3.13 or 3.14, but this is Python {this}.")
if __name__ == "__main__":
    from utils.installation import report

    sys.excepthook = report  # what breaks the imports below, or those that come later, is one sentence

sys.modules["httpx._main"] = None  # type: ignore[assignment]  # its command line costs 4 MB and is not used here
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would go through all packages; Easel has none

from contextlib import nullcontext  # noqa: E402  # older Pythons have none: after what is said to them

from utils.lean import uncollected  # noqa: E402  # after the line above

with uncollected() if __name__ == "__main__" else nullcontext():
    from app.main import main as main

if __name__ == "__main__":
    sys.exit(main())
