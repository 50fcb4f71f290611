"""A shop on a busy afternoon: what the screens are looked at with. Long names, other scripts, pictures, all states."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from support.api import Visitor
from support.tenants import World

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh, Bartholomew Maximilian"
KNOWLEDGE = {
    "What are your opening hours?": "We are open from 9 to 6, Monday to Friday, and until 2 on Saturdays.",
    "How much is delivery?": "Delivery is € 4.90, and free from € 40. It takes two working days.",
    "How do I send something back?": "Within thirty days, opened or not. We e-mail you a label: https://shop.test/returns",
}


@dataclass(slots=True)
class Shop:
    """A world with something going on in it. The conversations by what is special about them."""

    world: World
    talk: int = 0
    arabic: int = 0
    waiting: int = 0
    talker: Visitor | None = None


async def busy(world: World) -> Shop:
    """Fill a world."""
    shop = Shop(world)
    site = f"/sites/{world.site_id}"
    for question, answer in KNOWLEDGE.items():
        (await world.owner.post(f"{site}/chatbot/knowledge", {"question": question, "answer": answer})).ok(201)
    bot = {"name": "Corner Shop", "welcome": "Hello! Ask me anything about tea, delivery or returns."}
    (await world.owner.send("PUT", f"{site}/chatbot", bot)).ok()
    for operator in (world.alex, world.sam):
        (await operator.post("/operator/heartbeat", {"site_ids": [world.site_id]})).ok()
    await _rated(world)
    await _others(shop)
    await _talk(shop)
    await _arabic(shop)
    await _waiting(shop)
    return shop


async def known(visitor: Visitor, world: World, conversation: int, **details: object) -> None:
    """Write down who a visitor is."""
    (await world.owner.send("PUT", f"/operator/conversation/{conversation}/visitor", details)).ok()
    page = {"page": "https://shop.test/teas/darjeeling-first-flush", "title": "Darjeeling First Flush – Corner Shop"}
    (await visitor.post("/heartbeat", lang="en-GB", referrer="https://www.example.org/search?q=tea", **page)).ok()


async def _talk(shop: Shop) -> None:
    world = shop.world
    earlier, conversation = await world.waiting("Do you have a catalogue?")
    (await world.sam.post(f"/operator/accept/{conversation}")).ok()
    (await world.sam.post(f"/operator/close/{conversation}")).ok()
    said = await earlier.say("Hello, I ordered on Monday and my parcel is not here yet.", lang="de")
    shop.talk, shop.talker = said["conversation_id"], earlier
    await earlier.say("How much is delivery?")
    (await earlier.post("/handoff")).ok()
    info = {"plan": "Gold", "order": "2024-1187"}
    await known(earlier, world, shop.talk, name="Johanna Lindqvist", email="johanna@example.org", info=info)
    (await world.alex.post(f"/operator/accept/{shop.talk}")).ok()
    await world.alex.say(shop.talk, "Hello Johanna, this is Alex. Let me look up your order.")
    note = "Second late parcel this month: offer free delivery next time."
    (await world.alex.post("/operator/note", {"conversation_id": shop.talk, "content": note})).ok()
    found = "It left us on Tuesday. You can follow it here: https://track.example/p/2024-1187"
    await world.alex.say(shop.talk, found)
    upload = await world.api.call(
        "POST", "/api/v1/chat/upload-image", data={**earlier.names, "image": picture()}, headers={}
    )
    await earlier.say("This is what the tracking page shows me.", image_url=upload.ok()["url"])
    await earlier.say("Is that normal?")


async def _arabic(shop: Shop) -> None:
    world = shop.world
    visitor, shop.arabic = await world.waiting("مرحبا، هل تشحنون إلى الدار البيضاء؟")
    await known(visitor, world, shop.arabic, name="فاطمة الزهراء بنت عبد الرحمن")
    (await world.alex.post(f"/operator/accept/{shop.arabic}")).ok()
    await world.alex.say(shop.arabic, "Yes, we ship to Casablanca: about 5 working days, € 12.")
    await visitor.say("شكرًا! وماذا عن الطلبات فوق 40 €؟")


async def _waiting(shop: Shop) -> None:
    world = shop.world
    visitor, shop.waiting = await world.waiting("I would like to change the address of my order, please.")
    await known(visitor, world, shop.waiting, name=LONG)
    another, conversation = await world.waiting("Hi")
    await known(another, world, conversation, name="Ida")


async def _others(shop: Shop) -> None:
    world = shop.world
    asking = world.visitor()
    said = await asking.say("What are your opening hours?")
    await known(asking, world, said["conversation_id"], name="Mateus Souza")
    visitor, conversation = await world.waiting("Can I pay by invoice?")
    await known(visitor, world, conversation, name="Oskar Brandt", email="oskar@brandt.example")
    (await world.sam.post(f"/operator/accept/{conversation}")).ok()
    await world.sam.say(conversation, "Yes, from the second order on.")


async def _rated(world: World) -> None:
    words = ["Very kind and quick!", None, "It took a while, but it was solved in the end.", "Perfect, thank you", None]
    for score, comment in zip((5, 4, 3, 5, 1), words, strict=True):
        visitor, conversation = await world.waiting()
        (await world.alex.post(f"/operator/accept/{conversation}")).ok()
        (await world.alex.post(f"/operator/close/{conversation}")).ok()
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
