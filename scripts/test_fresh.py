"""The README's two commands on a machine that has nothing else: a fresh Debian 12 and 13, as an ordinary user.

    make test-fresh                   both, one after the other
    make test-fresh ARGS="trixie"     that one; `--stale` takes a mirror's list though it has expired

Each is a root made by mmdebstrap with the packages that README.md names and nothing more, thrown away afterwards. What
is tested is what is committed. The packages come from where this machine's own apt and pip get theirs. Linux, as root;
mounts and processes live in namespaces of their own, so nothing stays behind.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SUITES = ("bookworm", "trixie")
USER = "easel"
HOME = f"/home/{USER}"
SETUP_WAIT_S = 900.0
PICTURE_WAIT_S = 60.0
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
PIP_SETTINGS = ("index-url", "extra-index-url", "proxy", "trusted-host", "cert", "default-timeout")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class FreshError(Exception):
    """The test cannot go on, or has failed; the text is the one line to read."""


@dataclass(frozen=True, kw_only=True)
class Root:
    """One fresh Debian in a folder."""

    suite: str
    path: Path
    environ: dict[str, str]

    def command(self, line: str) -> list[str]:
        """Wrap a shell command to run in it as the ordinary user, in the checkout."""
        inside = " ".join(
            [
                shutil.which("chroot") or "chroot",
                f"--userspec={USER}:{USER}",
                "--groups=",
                '"$0"',
                "sh",
                "-c",
                f"'cd {HOME}/easel && {line}'",
            ]
        )
        mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"'
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*namespaces, "sh", "-c", f"{mounts} && exec {inside}", str(self.path)]


def packages_of(readme: str) -> list[str]:
    """Return the packages that the README tells people to install."""
    found = re.search(r"apt install ([a-z0-9.+ -]+)`", readme)
    if found is None:
        raise FreshError("README.md names no packages (sudo apt install ...).")
    return found[1].split()


def sources_of(targets: str, suite: str) -> list[str]:
    """Write the source lines for `suite` with the mirrors that this machine uses; none where it is no Debian."""
    mirrors = dict(line.split("|", 1) for line in targets.splitlines() if "|" in line)
    main, security = mirrors.get("Debian"), mirrors.get("Debian-Security")
    lines = [f"deb {main} {name} main" for name in (suite, f"{suite}-updates")] if main else []
    return [*lines, f"deb {security} {suite}-security main"] if main and security else lines


def make_root(suite: str, path: Path, *, is_stale_fine: bool) -> Root:
    print(f"\n== {suite}: making a root", flush=True)
    packages = packages_of((HERE / "README.md").read_text("utf-8"))
    targets = _output("apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages")
    options = [line for line in _output("apt-config", "dump").splitlines() if re.match(r"Acquire::https?::", line)]
    if is_stale_fine:
        options.append('Acquire::Check-Valid-Until "false";')
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(packages)}"]
    done = subprocess.run(
        [*command, *(f"--aptopt={option}" for option in options), suite, str(path), *sources_of(targets, suite)]
    )
    if done.returncode:
        raise FreshError(f"{suite}: mmdebstrap could not make a root")
    _run("chroot", str(path), "useradd", "--create-home", USER)
    _run("git", "clone", "--quiet", "--no-hardlinks", str(HERE), str(path / HOME[1:] / "easel"))
    _run("chroot", str(path), "chown", "-R", f"{USER}:{USER}", HOME)
    (path / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")  # as Debian's installer writes it
    (path / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copyfile("/etc/resolv.conf", path / "etc/resolv.conf")
    return Root(suite=suite, path=path, environ=environ_for(path))


def environ_for(root: Path) -> dict[str, str]:
    """Return the environment of an ordinary user, and how this machine reaches its package index."""
    values = {name: os.environ[name] for name in PROXIES if name in os.environ}
    for name in PIP_SETTINGS:
        variable = f"PIP_{name.upper().replace('-', '_')}"
        value = os.environ.get(variable) or _output(sys.executable, "-m", "pip", "config", "get", f"global.{name}")
        urls = [part for part in value.split() if not part.startswith("file:")]  # folders of this machine
        if urls:
            values[variable] = " ".join(urls)
    if certificates := values.get("PIP_CERT"):
        copy = root / certificates.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(certificates, copy)
    return {**values, "HOME": HOME, "USER": USER, "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}


def try_run(root: Root) -> str:
    """Start `make run`, wait for the address, draw a picture, leave by `quit`; return what was measured."""
    print(f"\n== {root.suite}: make run", flush=True)
    began = time.monotonic()
    pipe = subprocess.PIPE
    process = subprocess.Popen(root.command("make run 2>&1"), env=root.environ, stdin=pipe, stdout=pipe, text=True)
    assert process.stdin
    assert process.stdout
    try:
        address = _address(process, began)
        started = time.monotonic()
        picture = _draw(address)
        drawn = time.monotonic()
        process.stdin.write("quit\n")
        process.stdin.close()
        print(process.stdout.read(), end="", flush=True)
        if code := process.wait(PICTURE_WAIT_S):
            raise FreshError(f"{root.suite}: make run ended with {code}")
    finally:
        process.kill()
        process.wait()
    seconds = f"address after {started - began:.1f} s, first picture {drawn - started:.1f} s later"
    return f"make run: {seconds} ({picture} bytes)"


def _address(process: "subprocess.Popen[str]", began: float) -> str:
    assert process.stdout
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := ADDRESS.search(line):
            return found[0]
        if time.monotonic() - began > SETUP_WAIT_S:
            break
    raise FreshError("make run named no address")


def _draw(address: str) -> int:
    """Ask the server for a picture as any program would; return its size."""
    body = json.dumps({"prompt": "a red fox in the snow", "response_format": "b64_json"}).encode()
    headers = {"Content-Type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    request = urllib.request.Request(f"{address}v1/images/generations", body, headers)
    with opener.open(request, timeout=PICTURE_WAIT_S) as answer:
        return len(json.load(answer)["data"][0]["b64_json"]) * 3 // 4


def try_tests(root: Root, arguments: str) -> str:
    print(f"\n== {root.suite}: make test", flush=True)
    began = time.monotonic()
    line = f"make test ARGS={json.dumps(arguments)} 2>&1" if arguments else "make test 2>&1"
    last = ""
    with subprocess.Popen(
        root.command(line), env=root.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for text in process.stdout:
            print(text, end="", flush=True)
            last = text.strip() if " passed" in text else last
    if process.returncode:
        raise FreshError(f"{root.suite}: make test ended with {process.returncode}: {last}")
    return f"make test: {last} ({time.monotonic() - began:.0f} s with the set-up)"


def try_suite(suite: str, *, is_stale_fine: bool, arguments: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix=f"easel-{suite}-") as folder:
        root = make_root(suite, Path(folder) / "root", is_stale_fine=is_stale_fine)
        return [try_run(root), try_tests(root, arguments)]


def _output(*command: str) -> str:
    """Return what a program prints; nothing where it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def _run(*command: str) -> None:
    if subprocess.run(command).returncode:
        raise FreshError(f"{command[0]} failed: {' '.join(command)}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run `make run` and `make test` in fresh Debians.")
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--stale", action="store_true", help="take a mirror's list though it has expired")
    parser.add_argument("--tests", default="", help="arguments for pytest, like 'tests/api -x'")
    options = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        print("make test-fresh needs root, and mmdebstrap: apt-get install mmdebstrap", file=sys.stderr)
        return 2
    outcome = {}
    for suite in options.suites:
        try:
            outcome[suite] = try_suite(suite, is_stale_fine=options.stale, arguments=options.tests)
        except (FreshError, OSError) as error:
            outcome[suite] = [f"FAILED: {error}"]
    print()
    for suite, lines in outcome.items():
        print(*(f"{suite}: {line}" for line in lines), sep="\n")
    return 1 if any(line.startswith("FAILED") for lines in outcome.values() for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
