"""Images as strangers send them: decoded under limits and written anew, so that nothing but pixels comes through."""

from __future__ import annotations

import asyncio
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from parley.chat.conversations.errors import ImageTooLarge, NotAnImage

LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_PIXELS = 40_000_000
MOST_FRAMES = 200
_KINDS = {
    "JPEG": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
}
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that is safe to show."""

    data: bytes
    extension: str
    media: str
    width: int
    height: int


class Images:
    """Re-encodes images in threads, a few at a time: the event loop and the memory stay free."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def clean(self, data: bytes) -> Picture:
        """Decode and re-encode. Raises NotAnImage, ImageTooLarge."""
        if len(data) > LARGEST_BYTES:
            raise ImageTooLarge
        async with self._free:
            return await asyncio.to_thread(_clean, data)


def _clean(data: bytes) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_KINDS)) as image:
                frames = getattr(image, "n_frames", 1)
                # The header is enough to refuse: no pixel of a bomb is ever decoded.
                if image.width * image.height * min(frames, 4) > LARGEST_PIXELS or frames > MOST_FRAMES:
                    raise ImageTooLarge
                if image.width * image.height * frames > 4 * LARGEST_PIXELS:
                    raise ImageTooLarge
                return _encode(image, image.format or "", frames)
    except Image.DecompressionBombError as exc:
        raise ImageTooLarge from exc
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
    ) as exc:
        raise NotAnImage from exc


def _encode(image: Image.Image, kind: str, frames: int) -> Picture:
    extension, media = _KINDS[kind]
    out = io.BytesIO()
    if frames > 1 and kind in ("GIF", "WEBP"):
        pictures = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
        durations = [int(frame.info.get("duration", 100) or 100) for frame in ImageSequence.Iterator(image)]
        pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
        width, height = pictures[0].size
    else:
        # The orientation is metadata too: apply it, since it will be gone.
        upright = ImageOps.exif_transpose(image)
        mode = (
            "RGB"
            if kind == "JPEG"
            else ("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
        )
        plain = upright.convert(mode)
        clean = Image.new(mode, plain.size)
        clean.paste(plain)
        clean.save(out, kind, **({"quality": 88, "optimize": True} if kind == "JPEG" else {}))
        width, height = clean.size
    return Picture(out.getvalue(), extension, media, width, height)
