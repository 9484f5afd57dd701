"""Logos that owners upload: read as pictures, and written anew.

A file that looks like a picture may hold more (scripts, other formats, a camera's place):
only the pixels are kept.
"""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE = 512 * 1024
#: Pixels a side that are read at most, and that are kept.
_LARGEST_SIDE = 4096
_KEPT = (480, 120)
_FORMATS = ("PNG", "JPEG", "WEBP")


class BadLogo(Exception):
    """A file that can't be used as a logo, with a sentence that says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def logo_of(data: bytes) -> bytes:
    """Return the picture in `data` as PNG, at most 480 × 120 pixels; raise BadLogo."""
    if len(data) > LARGEST_FILE:
        raise BadLogo("The file is larger than 512 KB. Save the logo smaller.")
    try:
        with warnings.catch_warnings(), _opened(data) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if max(picture.size) > _LARGEST_SIDE:
                raise BadLogo("The logo is larger than 4096 pixels a side.")
            upright = ImageOps.exif_transpose(picture)
            return _written(upright.convert("RGBA"))
    except UnidentifiedImageError:
        raise BadLogo("This is no PNG, JPEG or WebP picture.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadLogo("The picture is damaged and cannot be read.") from None


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _written(picture: Image.Image) -> bytes:
    picture.thumbnail(_KEPT)
    picture.info.clear()  # a colour profile, above all, would be written along
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
