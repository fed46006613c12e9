"""`generate -o NAME`: a file is what its name says, or is called what it is."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import main
from easel_sketch.backend import SketchBackend
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage
from tests.test_cli import folder as folder  # a fixture

SMALL = ["--size", "64x64", "--steps", "2", "--seed", "7"]


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    """Have the engine give this file instead of its own."""

    def give(data: bytes) -> None:
        generate = SketchBackend.generate

        async def other(self, request, report):
            result = await generate(self, request, report)
            images = tuple(GeneratedImage(data=data, seed=image.seed) for image in result.images)
            return replace(result, images=images)

        monkeypatch.setattr(SketchBackend, "generate", other)

    return give


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.jpeg", "JPEG"), ("a.JPG", "JPEG"), ("a.webp", "WEBP"), ("a.gif", "GIF")],
)
def test_a_file_is_what_its_name_says(folder: Path, name: str, kind: str):
    assert main.main(["generate", "a fox", *SMALL, "-o", name]) == 0
    data = (folder / name).read_bytes()
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == (kind, (64, 64))
    if kind != "GIF":  # has no place for them
        assert b"Seed: 7" in data or "Seed: 7".encode("utf-16-be") in data or "Seed: 7".encode("utf-16-le") in data


@pytest.mark.parametrize("name", ["a.bmp", "a.txt", "a.tiff", "fox-v1.5"])
def test_a_name_that_no_picture_has_is_refused_before_anything_is_drawn(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
):
    assert main.main(["generate", "a fox", *SMALL, "-o", name]) == 2
    out, err = capsys.readouterr()
    assert f"cannot be saved as {name}" in err
    assert ".png, .jpg, .jpeg, .webp and .gif" in err
    assert (out, list(folder.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("kind", "asked", "saved"),
    [
        ("GIF", "", ".gif"), ("GIF", "a", "a.gif"), ("GIF", "a.gif", "a.gif"), ("GIF", "a.png", "a.gif"),
        ("GIF", "a.jpg", "a.gif"), ("WEBP", "a.gif", "a.webp"), ("WEBP", "a.webp", "a.webp"),
    ],
)  # fmt: skip
def test_an_animation_keeps_its_own_kind(
    folder: Path, capsys: pytest.CaptureFixture[str], drawn, kind: str, asked: str, saved: str
):
    drawn(moving(kind))
    assert main.main(["generate", "a fox", *SMALL, *(["-o", asked] if asked else [])]) == 0
    out, err = capsys.readouterr()
    path = Path(out.split()[1])
    assert str(path).endswith(saved)
    with Image.open(path) as picture:
        assert (picture.format, picture.n_frames) == (kind, 2)
    assert ("it moves" in err) == (asked in ("a.png", "a.jpg") or (asked, kind) == ("a.gif", "WEBP"))
    assert asked in ("", "a", saved) or not (folder / asked).exists()


def test_a_still_picture_of_another_kind_becomes_what_was_asked_for(folder: Path, drawn):
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 128)).save(out, "WEBP")
    drawn(out.getvalue())
    assert main.main(["generate", "a fox", *SMALL, "-o", "a.jpg"]) == 0
    with Image.open(folder / "a.jpg") as picture:
        assert picture.format == "JPEG"


def test_a_place_that_cannot_be_written_is_named_before_anything_is_drawn(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("drawn, and then thrown away")

    monkeypatch.setattr(SketchBackend, "generate", never)
    (folder / "notes").write_text("x")
    assert main.main(["generate", "fox", *SMALL, "-o", str(folder / "notes" / "fox.png")]) == 2
    assert f"{folder / 'notes'} is not a folder" in capsys.readouterr().err
    sealed = folder / "sealed"
    sealed.mkdir()
    # root may write anywhere but to what is mounted read-only, and `access` is what knows of both
    monkeypatch.setattr("console.saving.os.access", lambda path, _: Path(path) != sealed)
    assert main.main(["generate", "fox", *SMALL, "-o", str(sealed / "deep" / "fox.png")]) == 2
    assert f"{sealed} cannot be written to" in capsys.readouterr().err


def test_pictures_are_drawn_from_in_the_order_they_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    asked: list[GenerationRequest] = []
    generate = SketchBackend.generate

    async def other(self, request, report):
        asked.append(request)
        return await generate(self, request, report)

    monkeypatch.setattr(SketchBackend, "generate", other)
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (64, 64), colour).save(folder / name)
    assert main.main(["generate", "a fox --steps 2", "--image", "a.png", "--image=b.png", "-o", "out.png"]) == 0
    assert "not used: b.png (one picture is drawn from)" in capsys.readouterr().out
    (request,) = asked
    assert request.mode is Mode.IMG2IMG
    assert request.init_image
    with Image.open(io.BytesIO(request.init_image.data)) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("files", "reply"),
    [(["gone.png"], "gone.png cannot be read: No such file"), (["notes.txt"], "PNG, JPEG, WebP or GIF"),
     (["a.png"] * 11, "the maximum is 10")],
)  # fmt: skip
def test_a_picture_that_cannot_be_drawn_from_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], files: list[str], reply: str
):
    (folder / "notes.txt").write_text("hello")
    Image.new("RGB", (64, 64)).save(folder / "a.png")
    words = [word for file in files for word in ("--image", file)]
    assert main.main(["generate", "a fox", *words, "-o", "out.png"]) == 2
    assert reply in capsys.readouterr().err
    assert not (folder / "out.png").exists()


def test_choices_and_wildcards_are_drawn_each(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "data" / "wildcards").mkdir(parents=True)
    (folder / "data" / "wildcards" / "animal.txt").write_text("fox\n")
    assert main.main(["generate", "a {red, blue} __animal__", *SMALL, "-o", "a.png"]) == 0
    assert sorted(path.name for path in folder.glob("a*.png")) == ["a-1.png", "a-2.png"]
    assert b"a blue fox" in (folder / "a-2.png").read_bytes()
