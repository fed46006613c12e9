"""Faults of an installation, in one sentence: packages that are missing, damaged, or may not be run.

Standard library only, since it speaks when the packages cannot be imported.
"""

import re
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from lazy import pattern
from texts.text import _

ROOT: Final = Path(__file__).resolve().parents[1]
CURE: Final = _("Delete the folder .venv and run `make run`, or: pip install --force-reinstall -r requirements.txt")
INSTALL: Final = _("Run `make run`, or: pip install -r requirements.txt")
NO_EXEC: Final = pattern(r"failed to map segment|Operation not permitted|Permission denied")
NO_LIBRARY: Final = pattern(r"(lib[\w.+-]+): cannot open shared object file")
PACKAGES_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})


def report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print the one sentence, or the traceback where the installation is not to blame; goes into sys.excepthook."""
    if sentence := explain(error):
        print(sentence, file=sys.stderr)  # noqa: T201  # nothing else of Easel can be imported
    else:
        sys.__excepthook__(kind, error, traceback)


def explain(error: BaseException) -> str:
    """Return why a package or module could not be imported and what to do; "" if that is not what happened."""
    package = _package_at_fault(error)
    if isinstance(error, ModuleNotFoundError):
        return _missing(error.name or "?", package)
    if not package:
        return ""
    text = str(error)
    if isinstance(error, ImportError) and NO_EXEC.search(text):
        return _(
            "The package {package} may not be run from the folder it is in: its drive is mounted with noexec. "
            "Move Easel to another drive, or make its environment there.",
            package=package,
        )
    if isinstance(error, ImportError) and (library := NO_LIBRARY.search(text)):
        return _(
            "The package {package} needs the library {library}, which this machine does not have.",
            package=package,
            library=library[1],
        )
    reason = text.rpartition(".so: ")[2].splitlines()[0] if text else type(error).__name__
    return _(
        "The package {package} is damaged, or made for another Python or machine ({pathless}). {cure}",
        package=package,
        pathless=_pathless(reason),
        cure=CURE,
    )


def _missing(name: str, importer: str) -> str:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return _(
            "This Python was built without {top}, which Easel needs. Use one of your system, or of python.org.", top=top
        )
    if (ROOT / top).exists() or (ROOT / f"{top}.py").exists():
        return _("Easel's own file {name}.py is missing. Get Easel again.", name=name.replace(".", "/"))
    if top == importer:
        return _("The package {top} is damaged ({name} is missing). {cure}", top=top, name=name, cure=CURE)
    aside = ""
    if sys.prefix == sys.base_prefix and (ROOT / ".venv").exists():
        aside = _(" They may be in .venv: start Easel with .venv/bin/python main.py (Windows: .venv\\Scripts\\python).")
    return _("The package {top} is missing. {install}.{aside}", top=top, install=INSTALL, aside=aside)


def _package_at_fault(error: BaseException) -> str:
    """Return the package that was being imported, or "" where the error came from elsewhere."""
    named = getattr(error, "path", None) if isinstance(error, ImportError) else None
    named = error.filename if isinstance(error, SyntaxError) else named
    if package := _package_of(str(named or "")):
        return package
    package, traceback = "", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_name == "<module>":
            package = _package_of(code.co_filename) or package
        traceback = traceback.tb_next
    return package


def _package_of(path: str) -> str:
    """Return `PIL` for `.../site-packages/PIL/Image.py`, "" for a file that is no package's."""
    parts = Path(path).parts
    at = next((at for at, part in enumerate(parts) if part in PACKAGES_FOLDERS), len(parts))
    return parts[at + 1].partition(".")[0] if at + 1 < len(parts) else ""


def _pathless(text: str) -> str:
    return re.sub(r"(?:/|\b[A-Za-z]:\\)[^\s:)]+[/\\]", "", text)
