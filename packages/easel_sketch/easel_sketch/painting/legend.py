"""The legend in the corner: every picture of this engine says what drew it."""

from PIL import Image, ImageDraw, ImageFont, ImageStat

from constants import BY_RULES

TEXT = f"sketch: {BY_RULES}"
SMALLEST_PX, LARGEST_PX = 8.0, 40.0


def sign(image: Image.Image, line: str = TEXT) -> Image.Image:
    """Return the picture with a legend in its lower right corner, on a plate that fits its colours.

    Where there is no room for the line, what stands before its colon has to do.
    """
    result = image.copy()
    size = max(SMALLEST_PX, min(LARGEST_PX, image.width / 42, image.height / 18))
    font = ImageFont.load_default(size=size)
    text = line if font.getlength(line) + size * 1.6 <= image.width else line.partition(":")[0]
    pad = size * 0.45
    left, top, right, bottom = font.getbbox(text)
    wide, tall = right - left + 2 * pad, bottom - top + 1.4 * pad
    edge = size * 0.5
    x, y = max(0.0, image.width - wide - edge), max(0.0, image.height - tall - edge)
    corner = result.crop((int(x), int(y), image.width, image.height)).convert("L")
    is_dark = ImageStat.Stat(corner).mean[0] < 120
    plate, ink = ((14, 13, 22, 130), (255, 252, 244, 235)) if is_dark else ((255, 252, 244, 150), (24, 22, 34, 235))
    draw = ImageDraw.Draw(result, "RGBA")
    draw.rounded_rectangle((x, y, x + wide, y + tall), tall * 0.35, fill=plate)
    draw.text((x + pad - left, y + 0.7 * pad - top), text, font=font, fill=ink)
    return result
