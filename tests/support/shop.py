"""A shop on a busy afternoon: what the screens are looked at with. Long names, other scripts, pictures, all states."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from support.api import VisitorClient
from support.tenants import TenantFixture

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh, Bartholomew Maximilian"
KNOWLEDGE = {
    "What are your opening hours?": "We are open from 9 to 6, Monday to Friday, and until 2 on Saturdays.",
    "How much is delivery?": "Delivery is € 4.90, and free from € 40. It takes two working days.",
    "How do I send something back?": "Within thirty days, opened or not. We e-mail you a label: https://shop.test/returns",
}


@dataclass(slots=True)
class Shop:
    """A tenant with something going on in it. The conversations by what is special about them."""

    tenant: TenantFixture
    talk: int = 0
    arabic: int = 0
    waiting: int = 0
    talker: VisitorClient | None = None


async def busy(tenant: TenantFixture) -> Shop:
    """Fill a tenant."""
    shop = Shop(tenant)
    site = f"/sites/{tenant.site_id}"
    for question, answer in KNOWLEDGE.items():
        (await tenant.owner.post(f"{site}/chatbot/knowledge", {"question": question, "answer": answer})).ok(201)
    bot = {"name": "Corner Shop", "welcome": "Hello! Ask me anything about tea, delivery or returns."}
    (await tenant.owner.send("PUT", f"{site}/chatbot", bot)).ok()
    for operator in (tenant.alex, tenant.sam):
        (await operator.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    await _rated(tenant)
    await _others(shop)
    await _talk(shop)
    await _arabic(shop)
    await _waiting(shop)
    return shop


async def known(visitor: VisitorClient, tenant: TenantFixture, conversation: int, **details: object) -> None:
    """Write down who a visitor is."""
    (await tenant.owner.send("PUT", f"/operator/conversation/{conversation}/visitor", details)).ok()
    page = {"page": "https://shop.test/teas/darjeeling-first-flush", "title": "Darjeeling First Flush – Corner Shop"}
    (await visitor.post("/heartbeat", lang="en-GB", referrer="https://www.example.org/search?q=tea", **page)).ok()


async def _talk(shop: Shop) -> None:
    tenant = shop.tenant
    earlier, conversation = await tenant.pending_conversation("Do you have a catalogue?")
    (await tenant.sam.post(f"/operator/accept/{conversation}")).ok()
    (await tenant.sam.post(f"/operator/close/{conversation}")).ok()
    said = await earlier.send_message("Hello, I ordered on Monday and my parcel is not here yet.", lang="de")
    shop.talk, shop.talker = said["conversation_id"], earlier
    await earlier.send_message("How much is delivery?")
    (await earlier.post("/handoff")).ok()
    info = {"plan": "Gold", "order": "2024-1187"}
    await known(earlier, tenant, shop.talk, name="Johanna Lindqvist", email="johanna@example.org", info=info)
    (await tenant.alex.post(f"/operator/accept/{shop.talk}")).ok()
    await tenant.alex.send_message(shop.talk, "Hello Johanna, this is Alex. Let me look up your order.")
    note = "Second late parcel this month: offer free delivery next time."
    (await tenant.alex.post("/operator/note", {"conversation_id": shop.talk, "content": note})).ok()
    found = "It left us on Tuesday. You can follow it here: https://track.example/p/2024-1187"
    await tenant.alex.send_message(shop.talk, found)
    upload = await tenant.api.request(
        "POST", "/api/v1/chat/upload-image", data={**earlier.credentials, "image": picture()}, headers={}
    )
    await earlier.send_message("This is what the tracking page shows me.", image_url=upload.ok()["url"])
    await earlier.send_message("Is that normal?")


async def _arabic(shop: Shop) -> None:
    tenant = shop.tenant
    visitor, shop.arabic = await tenant.pending_conversation("مرحبا، هل تشحنون إلى الدار البيضاء؟")
    await known(visitor, tenant, shop.arabic, name="فاطمة الزهراء بنت عبد الرحمن")
    (await tenant.alex.post(f"/operator/accept/{shop.arabic}")).ok()
    await tenant.alex.send_message(shop.arabic, "Yes, we ship to Casablanca: about 5 working days, € 12.")
    await visitor.send_message("شكرًا! وماذا عن الطلبات فوق 40 €؟")


async def _waiting(shop: Shop) -> None:
    tenant = shop.tenant
    visitor, shop.waiting = await tenant.pending_conversation("I would like to change the address of my order, please.")
    await known(visitor, tenant, shop.waiting, name=LONG)
    another, conversation = await tenant.pending_conversation("Hi")
    await known(another, tenant, conversation, name="Ida")


async def _others(shop: Shop) -> None:
    tenant = shop.tenant
    asking = tenant.new_visitor()
    said = await asking.send_message("What are your opening hours?")
    await known(asking, tenant, said["conversation_id"], name="Mateus Souza")
    visitor, conversation = await tenant.pending_conversation("Can I pay by invoice?")
    await known(visitor, tenant, conversation, name="Oskar Brandt", email="oskar@brandt.example")
    (await tenant.sam.post(f"/operator/accept/{conversation}")).ok()
    await tenant.sam.send_message(conversation, "Yes, from the second order on.")


async def _rated(tenant: TenantFixture) -> None:
    words = ["Very kind and quick!", None, "It took a while, but it was solved in the end.", "Perfect, thank you", None]
    for score, comment in zip((5, 4, 3, 5, 1), words, strict=True):
        visitor, conversation = await tenant.pending_conversation()
        (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
        (await tenant.alex.post(f"/operator/close/{conversation}")).ok()
        (await visitor.post("/rate", score=score, **({"comment": comment} if comment else {}))).ok()


def picture() -> io.BytesIO:
    """A parcel's way, as a tracking page might show it."""
    image = Image.new("RGB", (480, 260), "#f2efe6")
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, 24, 456, 70), fill="#2c6b4a")
    for step, colour in enumerate(("#2c6b4a", "#2c6b4a", "#c9c2b2")):
        draw.ellipse((60 + step * 150, 130, 90 + step * 150, 160), fill=colour)
    draw.line((90, 145, 360, 145), fill="#8b8577", width=4)
    data = io.BytesIO()
    image.save(data, "PNG")
    data.seek(0)
    data.name = "tracking.png"
    return data
