"""Sites and their settings, canned replies, labels and views."""

from __future__ import annotations

from support.api_tour.ai import answer_tests, corrections, gaps, knowledge_sources, mcp_servers, tools
from support.api_tour.client import ApiTour


async def sites(tour: ApiTour) -> int:
    owner = tour.tenant.owner
    created = await tour.call(owner, "POST", "/sites", {"name": "Blog", "domains": ["blog.test"]}, 201)
    site_id: int = created["site"]["id"]
    site = f"/sites/{site_id}"
    assert len((await tour.call(owner, "GET", "/sites", query={"limit": 1}))["sites"]) == 1
    await tour.call(owner, "GET", site)
    await tour.call(owner, "PUT", site, {"name": "Diary"})
    await tour.call(owner, "GET", f"{site}/widget-code")
    secret = await tour.call(owner, "POST", f"{site}/identity-secrets", {"name": "Server"}, 201)
    assert len((await tour.call(owner, "GET", f"{site}/identity-secrets"))["identity_secrets"]) == 1
    await tour.call(owner, "DELETE", f"{site}/identity-secrets/{secret['identity_secret']['id']}")
    draft = {"name": "Pricing", "message": "Questions?", "include_pages": ["/pricing*"]}
    trigger = (await tour.call(owner, "POST", f"{site}/triggers", draft, 201))["trigger"]["id"]
    assert len((await tour.call(owner, "GET", f"{site}/triggers"))["triggers"]) == 1
    await tour.call(owner, "PUT", f"{site}/triggers/{trigger}", {**draft, "enabled": True})
    await tour.call(owner, "PUT", f"{site}/trigger-order", {"trigger_ids": [trigger]})
    await tour.call(owner, "POST", f"{site}/triggers/{trigger}/preview", {})
    await tour.call(owner, "GET", f"{site}/trigger-counts")
    await tour.call(owner, "DELETE", f"{site}/triggers/{trigger}")
    await tour.call(owner, "POST", f"{site}/rotate-key", {})
    await tour.call(owner, "GET", f"{site}/my-access")
    await tour.call(owner, "GET", f"{site}/copilot")
    await tour.call(owner, "GET", f"{site}/chatbot")
    await tour.call(owner, "GET", f"{site}/chatbot/usage")
    await tour.call(owner, "PUT", f"{site}/chatbot", {"name": "Robin", "colours": {"primary": "#112233"}})
    await tour.call(owner, "PUT", f"{site}/chatbot", {"welcome": "Good morning!"})
    german = {"language": "de", "texts": {"welcome": {"content": "Guten Morgen!", "approved": True}}}
    await tour.call(owner, "PUT", f"{site}/texts", german)
    assert (await tour.call(owner, "GET", f"{site}/texts"))["texts"][0]["translations"]["de"]["approved"]
    await tour.call(owner, "POST", f"{site}/texts/translate", {"language": "de"})
    entry = {"question": "Are you open?", "answer": "We are."}
    created = await tour.call(owner, "POST", f"{site}/chatbot/knowledge", entry, 201)
    one = f"{site}/chatbot/knowledge/{created['entry']['id']}"
    await tour.call(owner, "GET", f"{site}/chatbot/knowledge")
    await tour.call(owner, "PUT", one, {"question": "Are you open?", "answer": "We are not."})
    await tour.call(owner, "DELETE", one)
    await answer_tests(tour, f"{site}/chatbot/tests")
    await gaps(tour, f"/sites/{tour.tenant.site_id}/knowledge-gaps")
    await corrections(tour, f"/sites/{tour.tenant.site_id}")
    await knowledge_sources(tour, f"{site}/knowledge/sources")
    await tools(tour, f"{site}/chatbot/tools")
    await mcp_servers(tour, f"{site}/chatbot/mcp-servers")
    canned = {"shortcut": "hi", "text": "Hi {{visitor.name|there}}!", "scope": "site", "site_id": site_id}
    reply = (await tour.call(owner, "POST", "/canned-replies", canned, 201))["canned_reply"]
    assert (await tour.call(owner, "GET", "/canned-replies", query={"q": "hi"}))["canned_replies"] == [reply]
    await tour.call(owner, "PUT", f"/canned-replies/{reply['id']}", {**canned, "scope": "all"})
    await tour.call(owner, "POST", f"/canned-replies/{reply['id']}/use")
    await tour.call(owner, "DELETE", f"/canned-replies/{reply['id']}")
    billing = {"name": "Billing", "colour": "#2563eb", "scope": "site", "site_id": site_id}
    label = (await tour.call(owner, "POST", "/labels", billing, 201))["label"]
    assert (await tour.call(owner, "GET", "/labels", query={"site_id": site_id}))["labels"] == [label]
    await tour.call(owner, "PUT", f"/labels/{label['id']}", {"name": "Invoices", "colour": "#16a34a"})
    waiting = {"name": "Waits", "filter": {"status": "pending", "waiting": 60}, "scope": "site", "site_id": site_id}
    view = (await tour.call(owner, "POST", "/views", waiting, 201))["view"]
    assert (await tour.call(owner, "GET", "/views"))["views"] == [view]
    assert (await tour.call(owner, "GET", "/views/counts"))["counts"][0]["id"] == view["id"]
    await tour.call(owner, "PUT", f"/views/{view['id']}", {**waiting, "scope": "all"})
    await tour.call(owner, "DELETE", f"/views/{view['id']}")
    await tour.call(owner, "DELETE", f"/labels/{label['id']}")
    return site_id
