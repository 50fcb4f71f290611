"""The images of a visitor for a reply: which of them a model gets, and what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import takewhile

from parley.chat.ai.model import ImageUse
from parley.chat.ai.ports import VisitorImages
from parley.chat.messages.model import Message
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.visitors.model import Visitor

MAX_IMAGES = 3
"""That the model sees; each is at most some 500 kB."""


async def load_images(
    images: VisitorImages, site: SiteSettings, visitor: Visitor, messages: Sequence[Message]
) -> tuple[bytes, ...]:
    """Return the latest images of these messages that the visitor has sent, if an engine of the site sees images."""
    if not any(engine.sees_images for engine in site.list_engines()):
        return ()
    sent = [message.image_url for message in messages if message.role == "visitor"]
    urls = [url for url in sent if url is not None][-MAX_IMAGES:]
    loaded = await asyncio.gather(
        *(images.read_for_model(site.tenant_id, site.id, visitor.session, url) for url in urls)
    )
    # An image that cannot be read hides those before it: the model would take one of them for it.
    readable = list(takewhile(lambda image: image is not None, reversed(loaded)))[::-1]
    return tuple(image for image in readable if image is not None)


def find_image_use(
    messages: Sequence[Message], images: Sequence[bytes], replied_by: SiteSettings | None
) -> ImageUse | None:
    """Return what became of the images that the visitor has sent since the reply before; None if there are none.

    `messages` end with the question, `replied_by` are the settings of the model that has replied, if one has.
    """
    latest = takewhile(lambda one: one.role == "visitor", reversed(messages))
    if all(message.image_url is None for message in latest):
        return None
    if replied_by is None:
        return "no_model"
    if not replied_by.sees_images:
        return "no_vision" if replied_by.ai.images else "off"
    return "seen" if images else "unreadable"
