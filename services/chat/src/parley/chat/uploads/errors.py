"""Errors about images. `code` is part of the API."""

from __future__ import annotations

from parley.chat.timeouts import UPLOAD_RETRY_AFTER_SECONDS
from parley.common.errors import PayloadTooLarge, TooManyRequests, UnsupportedMediaType


class NotAnImage(UnsupportedMediaType):
    code = "not_an_image"
    default_message = "This is not a JPEG, PNG, GIF, WebP, HEIC or AVIF image."


class ImageTooLarge(PayloadTooLarge):
    code = "image_too_large"
    default_message = (
        "The image is larger than allowed: at most 10 MB and 40 megapixels; animations at most 200 frames"
        " and 64 megapixels in total."
    )


class TooManyImages(TooManyRequests):
    """So many images arrive at the same time that their data would fill the memory."""

    code = "too_many_images"
    default_message = "Many images are being uploaded right now. Please try again in a moment."

    def __init__(self) -> None:
        super().__init__(UPLOAD_RETRY_AFTER_SECONDS)
