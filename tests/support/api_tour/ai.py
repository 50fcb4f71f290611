"""What a site's AI knows and can do: knowledge, tests, corrections, tools."""

from __future__ import annotations

from typing import Any

from support.api_tour.client import ApiTour
from support.authorization_matrix import TEXT_FILE, file_form, find_gap
from support.mcp_server import run_shop_server
from support.wait import wait_until


async def tools(tour: ApiTour, path: str) -> None:
    owner = tour.tenant.owner
    body: dict[str, Any] = {
        "name": "stock",
        "title": "Stock",
        "description": "What is in stock.",
        "url": "http://127.0.0.1:9/{item}",
    }
    body["parameters"] = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
    tool = (await tour.call(owner, "POST", path, body, 201))["tool"]
    assert (await tour.call(owner, "GET", path))["tools"] == [tool]
    await tour.call(owner, "PUT", f"{path}/{tool['id']}", {**body, "timeout_seconds": 1})
    await tour.call(owner, "POST", f"{path}/{tool['id']}/secret")
    await tour.call(owner, "POST", f"{path}/{tool['id']}/try", {"arguments": {"item": "cap"}})
    await tour.call(owner, "DELETE", f"{path}/{tool['id']}")


async def mcp_servers(tour: ApiTour, path: str) -> None:
    owner = tour.tenant.owner
    async with run_shop_server() as shop:
        body = {"name": "shop", "url": shop.url}
        server = (await tour.call(owner, "POST", path, body, 201))["server"]
        assert (await tour.call(owner, "GET", path))["servers"] == [server]
        one = f"{path}/{server['id']}"
        await tour.call(owner, "PUT", one, {**body, "name": "warehouse"})
        await tour.call(owner, "POST", f"{one}/secret")
        tool = (await tour.call(owner, "POST", f"{one}/check"))["tools"][0]
        shown = {"name": tool["name"], "fingerprint": tool["fingerprint"]}
        await tour.call(owner, "POST", f"{one}/try", {**shown, "arguments": {"order_id": "A-1"}})
        await tour.call(owner, "PUT", f"{one}/tools", {"tools": [{**shown, "title": "Order"}]})
        await tour.call(owner, "DELETE", one)


async def answer_tests(tour: ApiTour, path: str) -> None:
    owner = tour.tenant.owner
    body = {"question": "Are you open?", "must_say": [["open"]]}
    one = f"{path}/{(await tour.call(owner, 'POST', path, body, 201))['test']['id']}"
    await tour.call(owner, "GET", path)
    await tour.call(owner, "PUT", one, {**body, "expected": "decline", "must_say": []})
    await tour.call(owner, "POST", f"{path}/generate", {})
    await tour.call(owner, "POST", f"{path}/import", {"tests": [body]})
    await tour.call(owner, "GET", f"{path}/export", query={"format": "json"})
    run = f"{path}/runs/{(await tour.call(owner, 'POST', f'{path}/run', {'replays': 1}, 201))['run']['id']}"

    async def is_done() -> bool:
        return bool((await tour.call(owner, "GET", run))["run"]["state"] == "done")

    await wait_until(is_done)
    assert len((await tour.call(owner, "GET", f"{path}/runs"))["runs"]) == 1
    assert (await tour.call(owner, "GET", f"{run}/results"))["results"]
    await tour.call(owner, "GET", f"{run}/replays")
    await tour.call(owner, "POST", f"{run}/cancel", {})
    await tour.call(owner, "DELETE", one)


async def gaps(tour: ApiTour, path: str) -> None:
    owner = tour.tenant.owner
    gap = f"{path}/{await find_gap(tour.tenant)}"
    await tour.call(owner, "GET", path, query={"state": "open", "limit": 1})
    assert (await tour.call(owner, "GET", gap))["examples"]
    await tour.call(owner, "PUT", gap, {"state": "dismissed"})
    entry = {"question": "How far is the moon?", "answer": "384 400 km."}
    await tour.call(owner, "POST", f"{gap}/entry", entry, 201)


async def corrections(tour: ApiTour, site: str) -> None:
    owner = tour.tenant.owner
    entry = {"question": "How long can I return an item?", "answer": "Within 14 days."}
    await tour.call(owner, "POST", f"{site}/chatbot/knowledge", entry, 201)
    visitors = [tour.tenant.new_visitor() for _ in range(2)]
    affected = [(await one.send_message(entry["question"]))["conversation_id"] for one in visitors]
    answer = {"conversation_id": affected[0], "seq": 2}
    shown = await tour.call(owner, "GET", f"{site}/cited-passages", query=answer)
    assert [passage["text"] for passage in shown["passages"]] == ["Within 14 days."]
    wrong = {**answer, "note": "It is longer.", "right_answer": "Within 30 days."}
    correction = (await tour.call(owner, "POST", f"{site}/corrections", wrong, 201))["correction"]
    await tour.call(owner, "GET", f"{site}/corrections")
    one = f"{site}/corrections/{correction['id']}"
    await tour.call(owner, "GET", f"{one}/conversations")
    await tour.call(owner, "POST", f"{one}/apply", {**entry, "answer": "Within 30 days."})


async def knowledge_sources(tour: ApiTour, path: str) -> None:
    owner = tour.tenant.owner
    body = {"kind": "file", "name": "Manuals", "review": True}
    source = f"{path}/{(await tour.call(owner, 'POST', path, body, 201))['source']['id']}"
    await tour.call(owner, "GET", path)
    await tour.call(owner, "GET", source)
    await tour.call(owner, "PUT", source, {"name": "Handbooks"})
    upload = f"/api/v1{source}/upload-file"

    async def has_change() -> bool:
        listed = await tour.call(owner, "GET", f"{source}/documents", query={"pending": "true"})
        return bool(listed["documents"])

    async def is_idle() -> bool:
        shown = await tour.call(owner, "GET", source)
        return bool(shown["source"]["sync"]["state"] == "idle")

    for text, decision in ((TEXT_FILE, "approve"), (TEXT_FILE * 2, "reject")):
        form = file_form(text, "manual.txt")
        reply = await tour.api.request("POST", upload, token=owner.token, data=form)
        tour.document.check("POST", upload, reply)
        document = f"{source}/documents/{reply.ok(201)['document']['id']}"
        await wait_until(has_change)
        await tour.call(owner, "GET", f"{document}/changes")
        await tour.call(owner, "POST", f"{document}/{decision}", {})
    await tour.call(owner, "POST", f"{source}/approve", {})
    await tour.call(owner, "PUT", document, {"enabled": False})
    await wait_until(is_idle)
    await tour.call(owner, "POST", f"{source}/sync", {})
    await tour.call(owner, "DELETE", document)
    await tour.call(owner, "DELETE", source)
