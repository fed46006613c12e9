"""Colour arithmetic on plain 8-bit RGB tuples, for the painter's palettes and shading."""

import colorsys

RGB = tuple[int, int, int]
RGBA = tuple[int, int, int, int]
Colour = RGB | RGBA

BLACK: RGB = (0, 0, 0)
WHITE: RGB = (255, 255, 255)


def from_hex(text: str) -> RGB:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return `first` moved towards `second`; `share` 0 is the first, 1 the second."""
    keep = 1 - share
    return (
        round(first[0] * keep + second[0] * share),
        round(first[1] * keep + second[1] * share),
        round(first[2] * keep + second[2] * share),
    )


def fade(colour: RGB, opacity: float) -> RGBA:
    return colour[0], colour[1], colour[2], max(0, min(255, round(255 * opacity)))


def lighten(colour: RGB, share: float) -> RGB:
    return mix(colour, WHITE, share)


def darken(colour: RGB, share: float) -> RGB:
    return mix(colour, BLACK, share)


def luminance(colour: RGB) -> float:
    """Return the perceived brightness, 0..1 (ITU-R BT.601 weights)."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def turn_hue(colour: RGB, degrees: float) -> RGB:
    hue, light, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    return _rgb(hue + degrees / 360, light, saturation)


def tinted(colour: RGB, tint: RGB, share: float) -> RGB:
    """Take hue and some saturation from `tint` while keeping the lightness of `colour`."""
    _, light, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    hue, _, tint_saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in tint))
    return mix(colour, _rgb(hue, light, (saturation + tint_saturation) / 2), share)


def _rgb(hue: float, light: float, saturation: float) -> RGB:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
