"""Small video files for tests: eight frames of 96×64 pixels, made by ffmpeg, the first of them red."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "video"
MP4 = (FOLDER / "clip.mp4").read_bytes()
WEBM = (FOLDER / "clip.webm").read_bytes()
