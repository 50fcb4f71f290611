"""What a visitor's widget calls."""

from __future__ import annotations

from support.api_tour.client import ApiTour
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.identity import SiteServer


async def visitors(tour: ApiTour) -> None:
    visitor = tour.tenant.new_visitor()
    await tour.call_as_visitor(visitor, "GET", "/config")
    await tour.call_as_visitor(visitor, "GET", "/block-status")
    await tour.call_as_visitor(visitor, "POST", "/heartbeat", page="https://shop.test/", title="Shop", lang="de")
    trigger = {"name": "Welcome", "message": "Questions?", "enabled": True}
    path = f"/sites/{tour.tenant.site_id}/triggers"
    added = (await tour.call(tour.tenant.owner, "POST", path, trigger, 201))["trigger"]["id"]
    await tour.call_as_visitor(visitor, "GET", "/triggers")
    await tour.call_as_visitor(visitor, "POST", "/triggers/show", trigger_ids=[added])
    await tour.call_as_visitor(visitor, "POST", "/triggers/opened", trigger_id=added)
    await tour.send_message(visitor, "Hello?")
    await tour.call_as_visitor(visitor, "POST", "/typing")
    await tour.call_as_visitor(visitor, "POST", "/email", email="jane@example.com")
    await tour.call_as_visitor(visitor, "POST", "/contact", name="Jane", phone="+49 30 1234")
    server = await SiteServer.create(tour.tenant.owner, tour.tenant.site_id)
    token = server.sign("customer-42", attributes={"plan": "gold", "orders": 3})
    identified = await tour.call_as_visitor(visitor, "POST", "/identify", token=token)
    visitor.session_id = identified["session_id"]
    await tour.call_as_visitor(visitor, "GET", "/history", limit=10)
    tour.document.check("GET", "/api/v1/chat/transcript", await visitor.get("/transcript", lang="de"))
    await tour.call_as_visitor(visitor, "POST", "/transcript/email", email="tour@example.com", lang="de")
    await tour.call_as_visitor(visitor, "GET", "/operator-messages", after_seq=0)
    await tour.call_as_visitor(visitor, "GET", "/pending-proactive")
    await tour.call_as_visitor(visitor, "POST", "/read", seq=1)
    await tour.call_as_visitor(visitor, "POST", "/handoff")
    await tour.call_as_visitor(visitor, "POST", "/rate", score=5, comment="Fine")
    form = image_form(make_image(), **visitor.credentials)
    reply = await tour.api.request("POST", "/api/v1/chat/upload-image", data=form)
    tour.document.check("POST", "/api/v1/chat/upload-image", reply)
    form = file_form(PDF, **visitor.credentials)
    reply = await tour.api.request("POST", "/api/v1/chat/upload-file", data=form)
    tour.document.check("POST", "/api/v1/chat/upload-file", reply)
    await tour.send_message(visitor, "", file_id=reply.body["file"]["id"])
    await tour.stream("/chat/events", **visitor.credentials)
    await tour.call_as_visitor(visitor, "POST", "/end-session")


async def answer_forms(tour: ApiTour) -> None:
    visitor = tour.tenant.new_visitor()
    assert (await tour.call_as_visitor(visitor, "GET", "/config"))["prechat_form"]["fields"]
    answers, consent = {"name": "Jane", "topic": "Sales"}, {"given": True, "version": 1}
    await tour.call_as_visitor(visitor, "POST", "/form", answers=answers, consent=consent, lang="de")
    answers["email"] = "jane@example.com"
    await tour.call_as_visitor(
        visitor, "POST", "/offline-form", answers=answers, consent=consent, message="Are you there?"
    )
