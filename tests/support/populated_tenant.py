"""A tenant with data for screenshots: long names, several scripts, images, conversations in all states."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from support.api import VisitorClient
from support.tenants import TenantFixture

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh, Bartholomew Maximilian"
VISITED_PAGE = {
    "page": "https://shop.test/teas/darjeeling-first-flush",
    "title": "Darjeeling First Flush – Corner Shop",
    "referrer": "https://www.example.org/search?q=tea",
}
KNOWLEDGE = {
    "What are your opening hours?": "We are open from 9 to 6, Monday to Friday, and until 2 on Saturdays.",
    "How much is delivery?": "Delivery is € 4.90, and free from € 40. It takes two working days.",
    "How do I send something back?": "Within thirty days, opened or not. We e-mail you a label: https://shop.test/returns",
}


@dataclass(slots=True)
class PopulatedTenant:
    """The tenant, and the ids of conversations by what they show."""

    tenant: TenantFixture
    long_conversation_id: int = 0
    arabic_conversation_id: int = 0
    pending_conversation_id: int = 0
    long_conversation_visitor: VisitorClient | None = None
    visitors: list[VisitorClient] = field(default_factory=list)
    """Those who are on a page of the site."""

    async def send_heartbeats(self) -> None:
        """Let the operators and the visitors be online."""
        for operator in (self.tenant.alex, self.tenant.sam):
            (await operator.post("/operator/heartbeat", {"site_ids": [self.tenant.site_id]})).ok()
        for visitor in self.visitors:
            (await visitor.post("/heartbeat", lang="en-GB", **VISITED_PAGE)).ok()


async def populate(tenant: TenantFixture) -> PopulatedTenant:
    """Create the data through the API."""
    populated = PopulatedTenant(tenant)
    site = f"/sites/{tenant.site_id}"
    for question, answer in KNOWLEDGE.items():
        (await tenant.owner.post(f"{site}/chatbot/knowledge", {"question": question, "answer": answer})).ok(201)
    bot = {"name": "Corner Shop", "welcome": "Hello! Ask me anything about tea, delivery or returns."}
    (await tenant.owner.send("PUT", f"{site}/chatbot", bot)).ok()
    await populated.send_heartbeats()
    await _add_rated_conversations(tenant)
    await _add_answered_conversations(populated)
    await _add_long_conversation(populated)
    await _add_arabic_conversation(populated)
    await _add_pending_conversations(populated)
    return populated


async def _describe(
    populated: PopulatedTenant, visitor: VisitorClient, conversation_id: int, **details: object
) -> None:
    """Store a visitor's details and the page they are on."""
    path = f"/operator/conversation/{conversation_id}/visitor"
    (await populated.tenant.owner.send("PUT", path, details)).ok()
    (await visitor.post("/heartbeat", lang="en-GB", **VISITED_PAGE)).ok()
    populated.visitors.append(visitor)


async def _add_long_conversation(populated: PopulatedTenant) -> None:
    tenant = populated.tenant
    visitor, earlier_id = await tenant.pending_conversation("Do you have a catalogue?")
    (await tenant.sam.post(f"/operator/accept/{earlier_id}")).ok()
    (await tenant.sam.post(f"/operator/close/{earlier_id}")).ok()
    message = await visitor.send_message("Hello, I ordered on Monday and my parcel is not here yet.", lang="de")
    conversation_id = message["conversation_id"]
    populated.long_conversation_id, populated.long_conversation_visitor = conversation_id, visitor
    await visitor.send_message("How much is delivery?")
    (await visitor.post("/handoff")).ok()
    info = {"plan": "Gold", "order": "2024-1187"}
    await _describe(
        populated, visitor, conversation_id, name="Johanna Lindqvist", email="johanna@example.org", info=info
    )
    (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
    await tenant.alex.send_message(conversation_id, "Hello Johanna, this is Alex. Let me look up your order.")
    note = "Second late parcel this month: offer free delivery next time."
    (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": note})).ok()
    answer = "It left us on Tuesday. You can follow it here: https://track.example/p/2024-1187"
    await tenant.alex.send_message(conversation_id, answer)
    upload = await tenant.api.request(
        "POST", "/api/v1/chat/upload-image", data={**visitor.credentials, "image": make_tracking_image()}, headers={}
    )
    await visitor.send_message("This is what the tracking page shows me.", image_url=upload.ok()["url"])
    await visitor.send_message("Is that normal?")


async def _add_arabic_conversation(populated: PopulatedTenant) -> None:
    tenant = populated.tenant
    visitor, conversation_id = await tenant.pending_conversation("مرحبا، هل تشحنون إلى الدار البيضاء؟")
    populated.arabic_conversation_id = conversation_id
    await _describe(populated, visitor, conversation_id, name="فاطمة الزهراء بنت عبد الرحمن")
    (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
    await tenant.alex.send_message(conversation_id, "Yes, we ship to Casablanca: about 5 working days, € 12.")
    await visitor.send_message("شكرًا! وماذا عن الطلبات فوق 40 €؟")


async def _add_pending_conversations(populated: PopulatedTenant) -> None:
    tenant = populated.tenant
    visitor, conversation_id = await tenant.pending_conversation(
        "I would like to change the address of my order, please."
    )
    populated.pending_conversation_id = conversation_id
    await _describe(populated, visitor, conversation_id, name=LONG_NAME)
    visitor, conversation_id = await tenant.pending_conversation("Hi")
    await _describe(populated, visitor, conversation_id, name="Ida")


async def _add_answered_conversations(populated: PopulatedTenant) -> None:
    tenant = populated.tenant
    visitor = tenant.new_visitor()
    message = await visitor.send_message("What are your opening hours?")
    await _describe(populated, visitor, message["conversation_id"], name="Mateus Souza")
    visitor, conversation_id = await tenant.pending_conversation("Can I pay by invoice?")
    await _describe(populated, visitor, conversation_id, name="Oskar Brandt", email="oskar@brandt.example")
    (await tenant.sam.post(f"/operator/accept/{conversation_id}")).ok()
    await tenant.sam.send_message(conversation_id, "Yes, from the second order on.")


async def _add_rated_conversations(tenant: TenantFixture) -> None:
    comments = [
        "Very kind and quick!",
        None,
        "It took a while, but it was solved in the end.",
        "Perfect, thank you",
        None,
    ]
    for score, comment in zip((5, 4, 3, 5, 1), comments, strict=True):
        visitor, conversation_id = await tenant.pending_conversation()
        (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
        (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
        (await visitor.post("/rate", score=score, **({"comment": comment} if comment else {}))).ok()


def make_tracking_image() -> io.BytesIO:
    """Draw an image like a screenshot of a parcel tracking page."""
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
