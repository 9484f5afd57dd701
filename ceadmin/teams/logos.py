"""Logos that owners upload: read as pictures, and written anew.

A file that looks like a picture may hold more (scripts, other formats, a camera's place):
only the pixels are kept.
"""

import io
import warnings

from django.utils.translation import gettext
from PIL import ExifTags, Image, UnidentifiedImageError

LARGEST_FILE = 512 * 1024
#: Pixels a side that are read at most, and that are kept.
_LARGEST_SIDE = 4096
_KEPT = (480, 120)
_FORMATS = ("PNG", "JPEG", "WEBP")

_HOW = Image.Transpose
_TURNS: dict[object, Image.Transpose] = {
    2: _HOW.FLIP_LEFT_RIGHT,
    3: _HOW.ROTATE_180,
    4: _HOW.FLIP_TOP_BOTTOM,
    5: _HOW.TRANSPOSE,
    6: _HOW.ROTATE_270,
    7: _HOW.TRANSVERSE,
    8: _HOW.ROTATE_90,
}


class BadLogo(Exception):
    """A file that can't be used as a logo, with a sentence that says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def logo_of(data: bytes) -> bytes:
    """Return the picture in `data` as PNG, at most 480 × 120 pixels; raise BadLogo."""
    if len(data) > LARGEST_FILE:
        raise BadLogo(gettext("The file is larger than 512 KB. Save the logo smaller."))
    try:
        with warnings.catch_warnings(action="ignore"), _opened(data) as picture:
            if max(picture.size) > _LARGEST_SIDE:
                raise BadLogo(gettext("The logo is larger than 4096 pixels a side."))
            return _written(_upright(picture.convert("RGBA"), picture.getexif()))
    except UnidentifiedImageError:
        raise BadLogo(gettext("This is no PNG, JPEG or WebP picture.")) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadLogo(gettext("The picture is damaged and cannot be read.")) from None


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _upright(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    """Turn a picture as its camera says it was held (Exif 2.32 §4.6.5, Orientation)."""
    turn = _TURNS.get(exif.get(ExifTags.Base.Orientation))
    return picture if turn is None else picture.transpose(turn)


def _written(picture: Image.Image) -> bytes:
    picture.thumbnail(_KEPT)
    picture.info.clear()  # a colour profile, above all, would be written along
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
