"""`PROVENANCE=c2pa` at the start, in `doctor` and at the console: what cannot sign is named, and nothing starts."""

import asyncio
import importlib
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

import main
from app import checkup
from config import read_settings
from tests.test_cli import folder as folder  # a fixture
from tests.utils.certificates import SERVERS, issue
from tests.utils.manifests import manifest_of
from utils import content_credentials
from utils.content_credentials import NotSigned, PictureSigner

SMALL = ["--size", "64x64", "--steps", "2", "--seed", "7"]
INTRO = "Some settings cannot be used. Change them in .env (or the environment):\n"


def start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **reply: str) -> str:
    """Let the console draw a picture with these settings, and return what it complains of."""
    for name, value in ({"PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0"} | reply).items():
        monkeypatch.setenv(name, value)
    code = main.main(["generate", "a fox", *SMALL, "-o", "a.png"])
    out, err = capsys.readouterr()
    assert code == 2
    assert not Path("a.png").exists()
    assert "PRIVATE KEY" not in out + err
    assert "Traceback" not in out + err
    assert err.startswith(INTRO) or out.startswith(INTRO)
    return (err or out).removeprefix(INTRO).strip()


async def doctors(folder: Path, **reply: str) -> dict[str, tuple[bool, str]]:
    values = {"DATA_DIR": str(folder / "data"), "PROBE_LOCAL_PORTS": "false", "WEB": "false"} | reply
    checks = await checkup.checks(read_settings(folder / "none.env", values))
    return {check.name: (check.is_ok, check.message) for check in checks}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_the_console_saves_is_signed(folder, monkeypatch, kind):
    for name, value in issue(folder / "keys").settings.items():
        monkeypatch.setenv(name, value)
    assert main.main(["generate", "a fox", *SMALL, "-o", f"a.{kind.lower()}"]) == 0
    data = (folder / f"a.{kind.lower()}").read_bytes()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == kind
    assert manifest_of(data).is_valid


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (None, "is not installed beside Easel (pip install c2pa-python)"),
        ("raise OSError('no such symbol')", "cannot be loaded on this machine"),
        ("Builder = Reader = None", "is too old (pip install c2pa-python --upgrade)"),
    ],
    ids=["missing", "broken", "old"],
)
def test_a_package_that_cannot_be_used_is_named_with_what_to_do(folder, monkeypatch, capsys, package, why):
    name = "c2pa_of_this_test"
    monkeypatch.setattr(content_credentials, "PACKAGE", name)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    if package:
        (folder / f"{name}.py").write_text(package)
    importlib.invalidate_caches()
    expected = f"xmp or off while the package c2pa-python {why}"
    reply = issue(folder / "keys").settings
    assert start(monkeypatch, capsys, **reply) == f"PROVENANCE=c2pa: must be {expected}"
    assert asyncio.run(doctors(folder, **reply))["PROVENANCE"] == (False, f"It must be {expected}.")


def test_both_files_are_asked_for_at_once(folder, monkeypatch, capsys):
    assert start(monkeypatch, capsys, PROVENANCE="c2pa").splitlines() == [
        "C2PA_CERTIFICATE is missing: must be a PEM file with your certificate first, then those that issued it",
        "C2PA_KEY is missing: must be a PEM file with the private key of C2PA_CERTIFICATE",
    ]
    found = asyncio.run(doctors(folder, PROVENANCE="c2pa"))
    assert found["C2PA_KEY"] == (
        False,
        "It is missing: it must be a PEM file with the private key of C2PA_CERTIFICATE.",
    )
    assert found["C2PA_CERTIFICATE"][0] is False


@pytest.mark.parametrize(
    ("wrong", "name", "why"),
    [
        (
            {"ends_in": -2.0, "begins_in": -30.0},
            "C2PA_CERTIFICATE",
            "a certificate that is valid today; this one ended",
        ),
        ({"use": SERVERS}, "C2PA_CERTIFICATE", "a certificate that C2PA accepts; the extended key usage of this one"),
        ({"passphrase": "sesame"}, "C2PA_KEY", "the private key of C2PA_CERTIFICATE, without a passphrase"),
    ],
    ids=["expired", "for servers", "passphrase"],
)
def test_a_certificate_that_cannot_sign_is_one_sentence_at_the_start_and_in_doctor(
    folder, monkeypatch, capsys, wrong, name, why
):
    reply = issue(folder / "keys", **wrong).settings
    text = start(monkeypatch, capsys, **reply)
    assert text.startswith(f"{name}=")
    assert why in text
    assert "\n" not in text
    is_ok, message = asyncio.run(doctors(folder, **reply))[name]
    assert (is_ok, why in message) == (False, True)


def test_a_key_of_another_certificate_is_named_without_its_name(folder, monkeypatch, capsys):
    reply = issue(folder / "keys").settings | {"C2PA_KEY": str(issue(folder / "others").key)}
    assert start(monkeypatch, capsys, **reply) == (
        "C2PA_KEY=***: must be the private key of C2PA_CERTIFICATE, but it belongs to another certificate"
    )


@pytest.mark.parametrize("name", ["C2PA_KEY", "C2PA_CERTIFICATE"])
def test_a_key_pasted_into_the_settings_is_not_shown(folder, monkeypatch, capsys, name):
    issued = issue(folder / "keys")
    text = start(monkeypatch, capsys, **issued.settings | {name: issued.key.read_text()})
    assert text.startswith(f"{name}=***: must be the name of a PEM file")
    assert not [line for line in issued.key.read_text().splitlines() if line in text]


def test_what_only_c2pa_itself_refuses_is_told_in_its_words(folder, monkeypatch, capsys):
    def refuse(*_: object, **__: object) -> bytes:
        raise NotSigned("the certificate is odd")

    monkeypatch.setattr(PictureSigner, "_sign", refuse)
    text = start(monkeypatch, capsys, **issue(folder / "keys").settings)
    assert text.endswith("must be a certificate that C2PA accepts, which says: the certificate is odd")


async def test_doctor_says_until_when_pictures_are_signed(tmp_path):
    found = await doctors(tmp_path, **issue(tmp_path / "keys").settings)
    is_ok, message = found["PROVENANCE"]
    assert is_ok
    assert message.startswith("pictures are signed (C2PA); the certificate ends on 20")
    assert "PROVENANCE" not in await doctors(tmp_path)


def test_a_time_stamp_comes_from_an_address(tmp_path, folder, monkeypatch, capsys):
    reply = issue(folder / "keys").settings | {"C2PA_TIMESTAMP_URL": "timestamps"}
    text = start(monkeypatch, capsys, **reply)
    assert text == "C2PA_TIMESTAMP_URL=timestamps: must be an address like http://timestamp.example.org"
