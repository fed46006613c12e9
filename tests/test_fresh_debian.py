"""Input of `make test-fresh`, read before it makes its roots; the roots themselves take minutes, and root."""

from pathlib import Path

import pytest

from scripts.test_fresh import FreshError, packages_of, sources_of

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
TARGETS = """\
Debian|http://mirror.example/debian/
Debian|http://mirror.example/debian/
Debian-Security|http://mirror.example/debian-security/
Docker CE|http://docker.example/
"""


def test_only_what_the_readme_names_is_installed() -> None:
    assert packages_of(README) == ["git", "make", "python3", "python3-venv"]
    with pytest.raises(FreshError):
        packages_of("Install everything.")


def test_the_mirrors_are_those_of_this_machine() -> None:
    assert sources_of(TARGETS, "trixie") == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/debian-security/ trixie-security main",
    ]


def test_a_machine_that_is_no_debian_leaves_the_mirror_to_mmdebstrap() -> None:
    assert sources_of("", "trixie") == []
