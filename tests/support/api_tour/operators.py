"""What operators call: conversations, translation, lists, status, devices."""

from __future__ import annotations

from datetime import timedelta

from parley.common.runtime.clock import to_rfc3339, utc_now
from support.api_tour.client import ApiTour
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.web_push import EXAMPLE_SUBSCRIPTION


async def conversations(tour: ApiTour) -> None:
    alex, sam = tour.tenant.alex, tour.tenant.sam
    visitor = tour.tenant.new_visitor()
    chat = await tour.send_message(visitor, "Is anybody there?")
    conversation = {"conversation_id": chat}
    await tour.call(alex, "POST", f"/operator/accept/{chat}", {})
    form = image_form(make_image())
    reply = await tour.api.request("POST", "/api/v1/operator/upload-image", token=alex.token, data=form)
    tour.document.check("POST", "/api/v1/operator/upload-image", reply)
    await tour.call(
        alex, "POST", "/operator/message", {**conversation, "content": "Look", "image_url": reply.body["url"]}
    )
    reply = await tour.api.request(
        "POST", f"/api/v1/operator/upload-file?site_id={tour.tenant.site_id}", token=alex.token, data=file_form(PDF)
    )
    tour.document.check("POST", "/api/v1/operator/upload-file", reply)
    file = {**conversation, "content": "", "file_id": reply.body["file"]["id"]}
    await tour.call(alex, "POST", "/operator/message", file)
    await tour.call(alex, "POST", "/operator/typing", conversation)
    await tour.call(alex, "POST", "/operator/note", {**conversation, "content": "VIP customer"})
    one = f"/operator/conversation/{chat}"
    for method in ("PUT", "PATCH", "POST"):
        await tour.call(alex, method, f"{one}/visitor", {"name": "Jane", "info": {"plan": "gold"}})
    await tour.call(alex, "POST", f"{one}/read", {"seq": 1})
    await tour.call(alex, "POST", f"{one}/viewing", {"state": "writing"})
    mention = {"conversation_id": int(one.rpartition("/")[2]), "content": "@Alex", "mentions": [alex.id]}
    await tour.call(alex, "POST", "/operator/note", mention)
    await tour.call(alex, "POST", f"{one}/transcript/email", {"email": "tour@example.com"})
    await tour.call(alex, "GET", "/operator/mentions")
    await tour.call(alex, "POST", f"{one}/mentions/read")
    await tour.call(alex, "PUT", f"{one}/labels", {"labels": []})
    bulk = {"action": "snooze", "conversation_ids": [chat], "until": to_rfc3339(utc_now() + timedelta(hours=1))}
    done = await tour.call(alex, "POST", "/operator/conversations/bulk", bulk)
    await tour.call(alex, "POST", f"/operator/conversations/bulk/{done['action_id']}/undo", {})
    await tour.call(alex, "PUT", f"{one}/snooze", {"until": to_rfc3339(utc_now() + timedelta(hours=1))})
    await tour.call(alex, "DELETE", f"{one}/snooze")
    shown = (await tour.call(alex, "GET", one))["conversation"]
    assert shown["notes"]
    assert shown["history"]
    assert len(shown["messages"]) > 1
    assert (await tour.call(alex, "GET", f"/conversations/{chat}/messages"))["messages"]
    chatbot = f"/sites/{tour.tenant.site_id}/chatbot"
    await tour.call(tour.tenant.owner, "PUT", chatbot, {"engine": "openai"})
    await tour.call(alex, "POST", f"{one}/copilot/suggestion")
    await tour.call(alex, "POST", f"{one}/copilot/rewrite", {"text": "Helo", "style": "correct"})
    await tour.call(alex, "POST", f"{one}/copilot/summary")
    assert (await tour.call(tour.tenant.owner, "POST", f"{chatbot}/check", {}))["check"]["ok"]
    assert (await tour.call(tour.tenant.owner, "GET", chatbot))["chatbot"]["check"]["steps"]
    await tour.call(tour.tenant.owner, "PUT", chatbot, {"engine": "builtin"})
    await tour.call(alex, "POST", f"/operator/transfer/{chat}", {"operator_id": sam.id})
    await tour.call(sam, "POST", f"/operator/release/{chat}", {})
    await tour.call(sam, "POST", f"/operator/close/{chat}", {})
    await tour.call(sam, "POST", f"{one}/reopen", {})
    await tour.call(sam, "POST", f"{one}/block", {"blocked": True, "block_type": "ai"})
    proactive = tour.tenant.new_visitor()
    await tour.call_as_visitor(proactive, "POST", "/heartbeat", page="https://shop.test/cart")
    online = await tour.call(alex, "GET", "/operator/online-visitors", query={"site_id": tour.tenant.site_id})
    handle = online["visitors"][0]["session_id"]
    body = {"site_id": tour.tenant.site_id, "session_id": handle, "content": "Need help?"}
    await tour.call(alex, "POST", "/operator/proactive-message", body)


async def translation(tour: ApiTour) -> None:
    _, chat = await tour.tenant.assigned_conversation()
    toggle = {"conversation_id": chat, "enabled": True}
    await tour.call(tour.tenant.alex, "POST", "/operator/translation/toggle", toggle)
    lang = {"conversation_id": chat, "lang": "de"}
    await tour.call(tour.tenant.alex, "POST", "/operator/translation/set-lang", lang)
    preview = {"conversation_id": chat, "content": "Hello"}
    await tour.call(tour.tenant.alex, "POST", "/operator/translation/preview", preview)


async def lists(tour: ApiTour) -> None:
    alex, site = tour.tenant.alex, {"site_id": tour.tenant.site_id}
    assert (await tour.call(alex, "GET", "/operator/active-chats", query=site))["chats"]
    assert (await tour.call(alex, "GET", "/operator/all-active-chats"))["chats"]
    assert (await tour.call(alex, "GET", "/operator/all-chat-counts"))["sites"]
    assert (await tour.call(alex, "GET", "/operator/operators", query=site))["operators"]
    query = {"q": "jane", "in": "messages,notes,visitors", **site}
    assert "hits" in await tour.call(alex, "GET", "/operator/search", query=query)
    assert (await tour.call(alex, "GET", "/operator/blocked", query=site))["visitors"]
    assert (await tour.call(alex, "GET", "/operator/all-online-visitors"))["visitors"]
    path = f"/sites/{tour.tenant.site_id}"
    assert (await tour.call(alex, "GET", f"{path}/conversations"))["conversations"]
    assert (await tour.call(alex, "GET", f"{path}/leads"))["leads"]
    assert (await tour.call(alex, "GET", f"{path}/ratings"))["ratings"]
    assert (await tour.call(alex, "GET", f"{path}/ratings/stats"))["count"]


async def status(tour: ApiTour) -> None:
    alex, site_id = tour.tenant.alex, tour.tenant.site_id
    await tour.call(alex, "POST", "/operator/heartbeat", {"site_ids": [site_id]})
    assert (await tour.call(alex, "GET", "/operator/status"))["online"]
    await tour.call(alex, "POST", "/operator/set-status", {"site_id": site_id, "online": False})
    ticket = await tour.call(alex, "POST", "/operator/stream-ticket", {})
    await tour.stream("/operator/stream", token=ticket["ticket"])


async def devices(tour: ApiTour) -> None:
    alex = tour.tenant.alex
    await tour.call(alex, "POST", "/operator/fcm-token", {"token": "d" * 140})
    await tour.call(alex, "POST", "/operator/fcm-token/test", {})
    await tour.call(alex, "DELETE", "/operator/fcm-token", {"token": "d" * 140})
    await tour.call(alex, "GET", "/operator/push-subscription/key")
    await tour.call(alex, "POST", "/operator/push-subscription", EXAMPLE_SUBSCRIPTION)
    device_id = (await tour.call(alex, "GET", "/operator/push-device"))["devices"][0]["id"]
    await tour.call(alex, "POST", "/operator/push-device/test", {"device_id": device_id})
    await tour.call(alex, "DELETE", f"/operator/push-device?device_id={device_id}")
    await tour.call(alex, "DELETE", "/operator/push-subscription", {"endpoint": EXAMPLE_SUBSCRIPTION["endpoint"]})
