"""Decodes an image within limits and encodes it again, so that only its pixels, its timing and its colours remain.

Samples of 16 bits are scaled to 8: browsers show no more, and many programs clip a grey image of 16 bits.

Limits are checked by the header, before any pixel is decoded. Frames of an animation are decoded one after the other.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageOps, ImageSequence

from parley.chat.uploads.errors import ImageTooLarge, NotAnImage
from parley.chat.uploads.model import SanitizedImage

MAX_PIXELS = 40_000_000
MAX_FRAMES = 200
MAX_ANIMATION_PIXELS = 64_000_000
"""Of all frames together: the encoders keep a byte or more for each."""
_MAX_PROFILE_BYTES = 65_536
MAX_SIDE = 1024
"""Of an image that is scaled down: enough to read a screenshot."""
_SCALED_QUALITY = 80
_JPEG_QUALITY = 90
_WEBP_QUALITY = 90

_MEDIA_TYPES = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png")}
_MEDIA_TYPES |= {"GIF": ("gif", "image/gif"), "WEBP": ("webp", "image/webp")}
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
# HEIC and AVIF are not shown by all browsers. A JPEG with a second picture, as some phones make it, is read as MPO.
_ACCEPTED = ("JPEG", "PNG", "GIF", "WEBP", "HEIF", "AVIF")
_REDUCIBLE_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
"""Whose pixels can be averaged: not those of a palette."""
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def reencode(data: bytes) -> SanitizedImage:
    """Raises NotAnImage, ImageTooLarge."""
    return _open(data, _encode)


def scale_down(data: bytes) -> SanitizedImage:
    """A JPEG of the first frame, with at most MAX_SIDE pixels on a side. Raises NotAnImage, ImageTooLarge."""
    return _open(data, _scale_down)


def _open(data: bytes, encode: Callable[[Image.Image, bytes], SanitizedImage]) -> SanitizedImage:
    try:
        with warnings.catch_warnings():
            # Also raised where a later frame turns out to be larger than the header said.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_ACCEPTED) as image:
                return encode(image, data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as exc:
        raise ImageTooLarge from exc
    except (
        OSError,  # includes UnidentifiedImageError
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        RuntimeError,
        NotImplementedError,
    ) as exc:
        raise NotAnImage from exc


def _encode(image: Image.Image, data: bytes) -> SanitizedImage:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise ImageTooLarge
    frames = getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1
    if frames > MAX_FRAMES or (frames > 1 and pixels * frames > MAX_ANIMATION_PIXELS):
        raise ImageTooLarge
    if frames > 1:
        return _encode_animation(image, data)
    return _encode_still(image, data)


def _scale_down(image: Image.Image, data: bytes) -> SanitizedImage:
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))
    is_reducible = image.mode in _REDUCIBLE_MODES and "transparency" not in image.info
    layer = image if is_reducible else image.convert("RGBA" if image.has_transparency_data else "RGB")
    # Before more copies are made of it: three of the largest image exceed the memory of the process.
    layer = layer.reduce(max(1, max(layer.size) // MAX_SIDE)).convert("RGBA")
    opaque = Image.new("RGB", layer.size, "white")
    opaque.paste(layer, mask=layer)
    opaque.thumbnail((MAX_SIDE, MAX_SIDE))
    output = io.BytesIO()
    opaque.save(output, "JPEG", quality=_SCALED_QUALITY)
    return SanitizedImage(output.getvalue(), *_MEDIA_TYPES["JPEG"], *opaque.size)


def _encode_still(image: Image.Image, data: bytes) -> SanitizedImage:
    source_format = image.format or ""
    target: str
    profile = _colour_profile(image)
    # The orientation is metadata, which is removed, so it is applied to the pixels.
    ImageOps.exif_transpose(image, in_place=True)
    has_alpha = image.has_transparency_data
    match source_format:
        case "PNG" | "GIF" | "WEBP":
            target = source_format
        case "JPEG" | "MPO":
            target = "JPEG"
        case _:
            target = "PNG" if has_alpha else "JPEG"
    options: dict[str, Any] = {}
    converted = _to_mode(image, target, profile)
    if converted.mode != image.mode and "CMYK" in (image.mode, converted.mode):
        profile = None
    match target:
        case "JPEG":
            options = {"quality": _JPEG_QUALITY}
        case "PNG" | "GIF" if converted.mode == "P" and "transparency" in image.info:
            options = {"transparency": image.info["transparency"]}
        case "PNG" if "transparency" in image.info and converted.mode in ("1", "L", "RGB"):
            converted = converted.convert("RGBA")
        case "WEBP":
            options = {"lossless": _is_lossless(data), "quality": _WEBP_QUALITY}
    if profile and target != "GIF":
        options["icc_profile"] = profile
    # What an encoder would copy from here: comments, Exif, XMP, resolution.
    converted.info = {}
    output = io.BytesIO()
    converted.save(output, target, **options)
    return SanitizedImage(output.getvalue(), *_MEDIA_TYPES[target], *converted.size)


def _to_mode(image: Image.Image, target: str, profile: bytes | None) -> Image.Image:
    """The image in a mode that its format has, and browsers show as it was meant."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        # 16 bits a sample: a plain conversion would clip at 255 instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "CMYK":
        return _cmyk_to_rgb(image, profile)
    if target == "JPEG":
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    if target == "WEBP":
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if target == "PNG":
        if image.mode in _PNG_MODES:
            return image
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _cmyk_to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _encode_animation(image: Image.Image, data: bytes) -> SanitizedImage:
    """Encode every frame with its duration, transparency and disposal, and the number of repetitions."""
    source_format = image.format or ""
    target = "WEBP" if source_format == "AVIF" else source_format
    options: dict[str, Any] = {"save_all": True}
    if "loop" in image.info:
        options["loop"] = image.info["loop"]
    match target:
        case "GIF":
            options["comment"] = b""
            if _has_transparent_frame(image):
                # Every frame is written as it looks, so what the frame before it showed has to go.
                options["disposal"] = 2
        case "PNG":
            options["default_image"] = bool(image.info.get("default_image"))
        case _:
            options |= {"duration": _durations(image), "exif": b"", "xmp": b"", "lossless": _is_lossless(data)}
            options |= {"quality": _WEBP_QUALITY, "background": image.info.get("background", (0, 0, 0, 0))}
    profile = _colour_profile(image)
    options["icc_profile"] = (profile or b"") if target == "WEBP" else profile
    for name in ("comment", "exif", "xmp", "XML:com.adobe.xmp", "photoshop"):
        image.info.pop(name, None)
    size = image.size
    output = io.BytesIO()
    image.save(output, target, **options)
    return SanitizedImage(output.getvalue(), *_MEDIA_TYPES[target], *size)


def _has_transparent_frame(image: Image.Image) -> bool:
    is_transparent = any(frame.has_transparency_data for frame in ImageSequence.Iterator(image))
    image.seek(0)
    return is_transparent


def _durations(image: Image.Image) -> list[int]:
    durations = []
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        image.load()  # A WebP frame knows its duration only once it is decoded.
        durations.append(int(image.info.get("duration", 0)))
    image.seek(0)
    return durations


def _colour_profile(image: Image.Image) -> bytes | None:
    """The colour profile, if it is one: wide-gamut colours would be wrong without it."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _MAX_PROFILE_BYTES:
        if isinstance(profile, bytes) and image.mode == "CMYK":
            return profile
        return None
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ImageCms.PyCMSError):
        return None
    return profile


def _is_lossless(data: bytes) -> bool:
    """Whether a WebP image has its pixels exactly."""
    return b"VP8L" in data[:4096]
