"""The poses of people in a picture, as ControlNets for poses want them: coloured bones on black.

Two small networks: one finds people, one their joints. Sources: the pages of RT-DETR and ViTPose in the transformers
library; the order, bones and colours of OpenPose (Cao and others, 2017), which ControlNets learnt from.
"""

from pathlib import Path
from typing import Any, Final

import torch
import transformers
from PIL import Image, ImageDraw

from backends.child_side import OrderRefused
from backends.embedded.work.depths import MEAN, SPREAD
from texts.text import _

FINDER_SIDE: Final = 640
PERSON: Final = "person"
LEAST_SURE: Final = 0.5  # that there is a person
LEAST_JOINT: Final = 0.3  # that there is a joint
MOST_PEOPLE: Final = 20
ROOM: Final = 1.25  # about a person, as the network learnt it
WIDTH, HEIGHT = 192, 256  # of a person, as the network wants it
NECK: Final = 1  # between the shoulders: the network knows none
# Which of the network's joints each of OpenPose's is.
JOINTS: Final = (0, NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
SHOULDERS: Final = (5, 6)
BONES: Final = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS: Final = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255),
    (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
BONE_SHARE: Final = 0.6  # of a colour's brightness
THICK: Final = 4 / 512  # half of a bone, of the shorter side
BLACK: Final = 16  # brighter than that is drawn
LEAST_BLACK: Final = 0.5  # of a map
LEAST_COLOUR: Final = 0.6  # of what is drawn on it, which is of pure colours

Box = tuple[float, float, float, float]  # left, top, width, height
Joint = tuple[float, float] | None


class PoseDrawer:
    """Two networks in memory, on the processor. Without one that finds people, the whole picture is taken for one.

    Raises:
        OrderRefused: a folder is damaged.
    """

    def __init__(self, folder: Path, finder: Path | None = None) -> None:
        self._network = _read(transformers.VitPoseForPoseEstimation, folder)
        self._finder = _read(transformers.AutoModelForObjectDetection, finder) if finder else None

    def draw(self, picture: Image.Image) -> Image.Image:
        """Return the map.

        Raises:
            OrderRefused: there is nobody in the picture.
        """
        photo = picture.convert("RGB")
        with torch.inference_mode():
            people = [self._joints(photo, box) for box in self._people(photo)]
        people = [joints for joints in people if sum(joint is not None for joint in joints) > 1]
        if not people:
            raise OrderRefused(str(_("Nobody was found in the picture that the pose is taken from.")), field="control")
        return _drawn(photo.size, people)

    def _people(self, photo: Image.Image) -> list[Box]:
        width, height = photo.size
        if self._finder is None:
            return [(0.0, 0.0, float(width), float(height))]
        resized = photo.resize((FINDER_SIDE, FINDER_SIDE), Image.Resampling.BILINEAR)
        found = self._finder(pixel_values=_values(resized)[None])
        number = next((key for key, name in self._finder.config.id2label.items() if name == PERSON), 0)
        sure = found.logits[0, :, int(number)].sigmoid()
        best = sure.argsort(descending=True)[:MOST_PEOPLE]
        boxes = [found.pred_boxes[0, place].tolist() for place in best.tolist() if sure[place] >= LEAST_SURE]
        return [((x - w / 2) * width, (y - h / 2) * height, w * width, h * height) for x, y, w, h in boxes]

    def _joints(self, photo: Image.Image, box: Box) -> list[Joint]:
        """Return OpenPose's joints of a person, each where it is in the picture, None where it is not seen."""
        left, top, width, height = _roomy(box)
        corners = (left, top, left + width, top + height)
        person = photo.transform((WIDTH, HEIGHT), Image.Transform.EXTENT, corners, Image.Resampling.BILINEAR)
        colours = (_values(person) - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]
        heat = self._network(pixel_values=colours[None]).heatmaps[0]
        rows, columns = heat.shape[-2:]
        seen: list[Joint] = []
        for places in heat:
            row, column = divmod(int(places.argmax()), columns)
            x, y = _between(places, row, column)
            is_seen = float(places[row, column]) >= LEAST_JOINT
            seen.append((left + x / (columns - 1) * width, top + y / (rows - 1) * height) if is_seen else None)
        joints = [seen[number] for number in JOINTS]
        first, second = (seen[number] for number in SHOULDERS)
        joints[NECK] = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2) if first and second else None
        return joints


def is_pose(picture: Image.Image) -> bool:
    """Return whether a picture is such a map already: mostly black, and the rest of pure colours."""
    small = picture.convert("RGB").resize((128, 128), Image.Resampling.NEAREST)
    places = zip(*(band.tobytes() for band in small.split()), strict=True)
    bright = [place for place in places if max(place) > BLACK]
    pure = sum(1 - min(place) / max(place) for place in bright)
    return len(bright) <= (1 - LEAST_BLACK) * 128 * 128 and (not bright or pure >= LEAST_COLOUR * len(bright))


def _read(kind: Any, folder: Path) -> Any:
    try:
        return kind.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        message = _("The network {name} cannot be loaded: a file is missing or damaged.", name=folder.name)
        raise OrderRefused(str(message), field="control") from error


def _values(picture: Image.Image) -> torch.Tensor:
    signs = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return signs.reshape(picture.height, picture.width, 3).permute(2, 0, 1).float() / 255


def _roomy(box: Box) -> Box:
    """Return a box about another one, with room, of the form that the network wants."""
    left, top, width, height = box
    across, down = left + width / 2, top + height / 2
    height = max(height, width * HEIGHT / WIDTH) * ROOM
    width = height * WIDTH / HEIGHT
    return across - width / 2, down - height / 2, width, height


def _between(heat: torch.Tensor, row: int, column: int) -> tuple[float, float]:
    """Return where the highest place is, a quarter towards its higher neighbour."""
    x, y = float(column), float(row)
    if 0 < column < heat.shape[1] - 1:
        x += 0.25 * float(torch.sign(heat[row, column + 1] - heat[row, column - 1]))
    if 0 < row < heat.shape[0] - 1:
        y += 0.25 * float(torch.sign(heat[row + 1, column] - heat[row - 1, column]))
    return x, y


def _drawn(size: tuple[int, int], people: list[list[Joint]]) -> Image.Image:
    drawn = Image.new("RGB", size)
    pen = ImageDraw.Draw(drawn)
    half = max(1.0, THICK * min(size))
    for joints in people:
        for (begin, end), colour in zip(BONES, COLOURS, strict=False):
            first, last = joints[begin], joints[end]
            if first and last:
                dim = (int(colour[0] * BONE_SHARE), int(colour[1] * BONE_SHARE), int(colour[2] * BONE_SHARE))
                pen.line((first, last), fill=dim, width=round(2 * half))
        for joint, colour in zip(joints, COLOURS, strict=True):
            if joint:
                x, y = joint
                pen.ellipse((x - half, y - half, x + half, y + half), fill=colour)
    return drawn
