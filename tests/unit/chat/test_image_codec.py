"""Images come out as they went in, except for their metadata."""

from __future__ import annotations

import io
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageSequence

from parley.chat.uploads import image_codec
from parley.chat.uploads.errors import ImageTooLarge, NotAnImage
from parley.chat.uploads.image_codec import reencode

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, image_format, **options)
    return output.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(reencode(data).data))


def png16(colour_type: int) -> bytes:
    """A ramp of 256 columns with 16 bits a sample: grey (0) or RGB (2)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    samples = 3 if colour_type == 2 else 1
    row = b"\0" + b"".join(struct.pack(">H", x * 257) * samples for x in range(256))
    header = struct.pack(">IIBBBBB", 256, 4, 16, colour_type, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row * 4)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("colour_type", [0, 2])
def test_a_png_of_16_bits_keeps_its_shades(colour_type: int) -> None:
    assert len(set(decoded(png16(colour_type)).convert("L").tobytes())) >= 250


def test_an_avif_animation_becomes_a_webp_animation() -> None:
    frames = [Image.new("RGBA", (32, 32), (shade, 0, 0, 255)) for shade in (0, 120, 240)]
    output = io.BytesIO()
    frames[0].save(output, "AVIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300])
    result = reencode(output.getvalue())
    assert result.media_type == "image/webp"
    with Image.open(io.BytesIO(result.data)) as image:
        durations = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            durations.append(frame.info["duration"])
    assert durations == [100, 200, 300]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_keeps_its_pixels(mode: str) -> None:
    image = Image.linear_gradient("L").convert("RGBA")
    image.putalpha(Image.radial_gradient("L"))
    image = image.convert(mode)
    out = decoded(encoded(image, "PNG"))
    assert out.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_stays_transparent(kind: str) -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (5, 5, 10, 10))
    out = decoded(encoded(image, kind, transparency=1)).convert("RGBA")
    assert out.getpixel((7, 7))[3] == 0  # type: ignore[index]
    assert out.getpixel((1, 1)) == (255, 0, 0, 255)


def test_a_transparent_colour_without_palette_stays_transparent() -> None:
    data = encoded(Image.new("RGB", (8, 8), RED), "PNG", transparency=RED)
    assert decoded(data).convert("RGBA").getpixel((1, 1))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_kept(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decoded(encoded(Image.new("RGB", (8, 8), RED), kind, icc_profile=profile)).info["icc_profile"] == profile


def test_what_is_no_colour_profile_is_dropped() -> None:
    data = encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=b"<script>")
    assert "icc_profile" not in decoded(data).info


def test_a_cmyk_photo_is_not_inverted() -> None:
    pixel = decoded(encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG")).convert("RGB").getpixel((9, 9))
    assert pixel[0] > 200  # type: ignore[index]
    assert pixel[1] < 60  # type: ignore[index]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_applied(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (0, 0, 20, 20))
    out = decoded(encoded(image, kind, exif=exif))
    assert out.size == (20, 40)
    assert not out.getexif()
    top = out.convert("RGB").getpixel((10, 5))
    assert top[2] > 200  # type: ignore[index]


def list_frames(image: Image.Image) -> list[bytes]:
    return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]


def moving_square() -> list[Image.Image]:
    frames = []
    for step in range(4):
        frame = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        frame.paste((255, 0, 0, 255), (step * 8, 8, step * 8 + 8, 16))
        frames.append(frame)
    return frames


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("loop", [0, 3, None])
def test_an_animation_keeps_frames_durations_and_repetitions(kind: str, loop: int | None) -> None:
    first, *others = moving_square()
    options = {} if loop is None else {"loop": loop}
    extra: dict[str, object] = {"disposal": 2} if kind == "GIF" else {"lossless": True} if kind == "WEBP" else {}
    durations = [100, 250, 400, 50]
    data = encoded(first, kind, save_all=True, append_images=others, duration=durations, **options, **extra)
    source, out = Image.open(io.BytesIO(data)), decoded(data)
    assert list_frames(out) == list_frames(source)
    assert out.info.get("loop") == source.info.get("loop")

    def list_durations(image: Image.Image) -> list[object]:
        found = []
        for number in range(4):
            image.seek(number)
            image.load()
            found.append(image.info.get("duration"))
        return found

    assert list_durations(out) == list_durations(source) == durations


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "JPEG"])
def test_comments_and_other_metadata_are_removed(kind: str) -> None:
    first, *others = [frame.convert("RGB") for frame in moving_square()]
    exif = Image.Exif()
    exif[0x010E] = "hidden words"
    options: dict[str, object] = {"comment": b"hidden words"} if kind in ("GIF", "JPEG") else {"exif": exif}
    for animated in (False, True) if kind != "JPEG" else (False,):
        more = {"save_all": True, "append_images": others} if animated else {}
        data = encoded(first, kind, **options, **more)
        assert b"hidden words" in data
        assert b"hidden words" not in reencode(data + b"<script>hidden words</script>").data


@pytest.mark.parametrize(("alpha", "expected"), [(False, "jpg"), (True, "png")])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_heic_and_avif_become_what_all_browsers_show(kind: str, alpha: bool, expected: str) -> None:
    pillow_heif.register_heif_opener()
    image = Image.new("RGBA", (64, 48), (255, 0, 0, 128)) if alpha else Image.new("RGB", (64, 48), RED)
    result = reencode(encoded(image, kind))
    assert (result.extension, result.width, result.height) == (expected, 64, 48)
    assert Image.open(io.BytesIO(result.data)).convert("RGB").getpixel((9, 9))[0] > 200  # type: ignore[index]


def test_a_photo_with_a_second_picture_is_a_jpeg() -> None:
    first, second = Image.new("RGB", (40, 40), RED), Image.new("RGB", (20, 20), BLUE)
    result = reencode(encoded(first, "MPO", save_all=True, append_images=[second]))
    assert (result.extension, result.width) == ("jpg", 40)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 400, b"<svg/>"])
def test_what_cannot_be_decoded_is_no_image(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        reencode(data)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_too_many_pixels_are_refused_by_the_header(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A16: an image with too many pixels is refused before it is decoded."""
    monkeypatch.setattr(image_codec, "MAX_PIXELS", 99)
    with pytest.raises(ImageTooLarge):
        reencode(encoded(Image.new("RGB", (10, 10), RED), kind)[:200] + b"\0" * 100)


def test_frames_times_pixels_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A16: the pixels of all frames together are bounded."""
    monkeypatch.setattr(image_codec, "MAX_ANIMATION_PIXELS", 4 * 32 * 32 - 1)
    first, *others = moving_square()
    with pytest.raises(ImageTooLarge):
        reencode(encoded(first, "GIF", save_all=True, append_images=others))
