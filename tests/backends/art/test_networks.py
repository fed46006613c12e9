"""The list of networks, and that no file is used which is not the listed one."""

import re
import subprocess
import sys
from hashlib import sha256
from types import SimpleNamespace

import pytest

from backends.art.work import networks
from backends.art.work.networks import ListedFile, NetworkDamaged, upscalers
from backends.child import ROOT
from utils.memory import ended_for_memory, free_bytes


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "weights_for_tests"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise AssertionError('nothing of it is imported')")
    (folder / "net.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def listed(content=b"weights", path="net.bin", package="weights_for_tests"):
    return ListedFile(package=package, path=path, sha256=sha256(content).hexdigest())


def test_a_file_is_found_in_its_package_without_importing_that(package):
    assert listed().checked() == package / "net.bin"
    assert "weights_for_tests" not in sys.modules


@pytest.mark.parametrize("file", [listed(b"others"), listed(path="other.bin"), listed(package="no_such_package_here")])
def test_a_file_that_is_missing_or_another_is_refused(package, file):
    with pytest.raises(NetworkDamaged, match=r"(net|other)\.bin of the package \w+ is missing or damaged"):
        file.checked()


def test_each_network_names_its_origin_licence_and_hashes():
    for name, upscaler in upscalers().items():
        assert name == upscaler.name
        assert "github.com" in upscaler.made_by
        assert upscaler.licence == "BSD-3-Clause"
        for file in (upscaler.weights, *upscaler.graphs.values()):
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)


@pytest.mark.parametrize(
    ("name", "factor", "own"),
    [
        ("R-ESRGAN AnimeVideo", 1.5, 2),
        ("R-ESRGAN AnimeVideo", 2, 2),
        ("R-ESRGAN AnimeVideo", 2.5, 3),
        ("R-ESRGAN AnimeVideo", 8, 4),
        ("R-ESRGAN 4x+", 2, 4),
    ],
)
def test_the_smallest_factor_that_is_enough_is_taken(name, factor, own):
    assert upscalers()[name].factor_for(factor) == own


def test_it_is_installed_where_all_its_packages_are(package, monkeypatch):
    monkeypatch.setattr(networks, "RUNTIMES", ("weights_for_tests", "no_such_runtime"))
    assert not networks.is_installed()
    monkeypatch.setattr(networks, "RUNTIMES", ("weights_for_tests",))
    monkeypatch.setattr(networks, "upscalers", dict)
    monkeypatch.setattr(networks, "restyler", lambda: SimpleNamespace(package="weights_for_tests"))
    assert networks.is_installed()


MEMINFO = "MemTotal: 2000 kB\nMemAvailable:    1000 kB\n"


@pytest.mark.parametrize(
    ("meminfo", "most", "used", "free"),
    [
        (MEMINFO, "max", "5000", 1000 * 1024),
        (MEMINFO, "900000", "100000", 800_000),
        (MEMINFO, None, None, 1000 * 1024),
        ("", None, None, None),
    ],
)
def test_memory_is_what_the_machine_and_the_container_leave(tmp_path, meminfo, most, used, free):
    (tmp_path / "meminfo").write_text(meminfo)
    for name, text in (("memory.max", most), ("memory.current", used)):
        if text is not None:
            (tmp_path / name).write_text(f"{text}\n")
    assert free_bytes(tmp_path / "meminfo", tmp_path) == free


@pytest.mark.parametrize(("text", "count"), [("oom_kill_x 1\noom_kill 3\n", 3), ("numa_hit 7\n", None), (None, None)])
def test_the_system_tells_how_many_it_ended_for_want_of_memory(tmp_path, text, count):
    if text is not None:
        (tmp_path / "vmstat").write_text(text)
    assert ended_for_memory(tmp_path / "vmstat") == count


START = """
import sys
from backends.base import BackendConfig
from backends.kinds import known_kinds, make_backend
assert "art" in [kind.name for kind in known_kinds()]
[kind.is_there() for kind in known_kinds()]
make_backend(BackendConfig(name="art", kind="art"))
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "ncnn", "requests", "onnxruntime"}))
"""


def test_nothing_of_it_is_loaded_before_it_is_used():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
