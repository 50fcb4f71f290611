"""Decodes uploaded images within limits and re-encodes them, so that only pixels remain."""

from __future__ import annotations

import asyncio
import io
import warnings

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from parley.chat.uploads.errors import ImageTooLarge, NotAnImage
from parley.chat.uploads.model import SanitizedImage

MAX_IMAGE_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_FRAMES = 200
_MAX_CONCURRENCY = 2
_FORMATS = {
    "JPEG": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
}


class PillowImageSanitizer:
    """Implements the port ImageSanitizer with Pillow, in threads. The limit of two at a time bounds memory."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_MAX_CONCURRENCY)

    async def sanitize(self, data: bytes) -> SanitizedImage:
        """Decode and re-encode an image. Raises NotAnImage, ImageTooLarge."""
        if len(data) > MAX_IMAGE_BYTES:
            raise ImageTooLarge
        async with self._slots:
            return await asyncio.to_thread(_sanitize, data)


def _sanitize(data: bytes) -> SanitizedImage:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
                frames = getattr(image, "n_frames", 1)
                # Checked by the header alone: no pixel of a decompression bomb is decoded.
                if image.width * image.height * min(frames, 4) > MAX_PIXELS or frames > MAX_FRAMES:
                    raise ImageTooLarge
                if image.width * image.height * frames > 4 * MAX_PIXELS:
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


def _encode(image: Image.Image, image_format: str, frame_count: int) -> SanitizedImage:
    extension, media_type = _FORMATS[image_format]
    output = io.BytesIO()
    if frame_count > 1 and image_format in ("GIF", "WEBP"):
        frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
        durations = [int(frame.info.get("duration", 100) or 100) for frame in ImageSequence.Iterator(image)]
        frames[0].save(output, image_format, save_all=True, append_images=frames[1:], duration=durations, loop=0)
        width, height = frames[0].size
    else:
        # The orientation is metadata, which is removed, so apply it to the pixels.
        upright = ImageOps.exif_transpose(image)
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        mode = "RGBA" if has_alpha and image_format != "JPEG" else "RGB"
        converted = upright.convert(mode)
        clean = Image.new(mode, converted.size)
        clean.paste(converted)
        clean.save(output, image_format, **({"quality": 88, "optimize": True} if image_format == "JPEG" else {}))
        width, height = clean.size
    return SanitizedImage(output.getvalue(), extension, media_type, width, height)
