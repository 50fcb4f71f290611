"""Errors about images. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import PayloadTooLarge, UnsupportedMediaType


class NotAnImage(UnsupportedMediaType):
    code = "not_an_image"
    default_message = "This is not a JPEG, PNG, GIF or WebP image."


class ImageTooLarge(PayloadTooLarge):
    code = "image_too_large"
    default_message = "The image is larger than allowed: at most 10 MB, 40 megapixels and 200 frames."
