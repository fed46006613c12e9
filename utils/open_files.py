"""The number of files and sockets this process may have open at once."""

import contextlib
from typing import Final

MOST_FILES: Final = 65_536  # no program of ours needs more; some that are started count through all they might have


def raise_open_files() -> int:
    """Raise the limit of open files as far as this user may; return what it is then."""
    try:
        import resource  # not on Windows
    except ImportError:  # there is no such limit for sockets there
        return MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, MOST_FILES)
