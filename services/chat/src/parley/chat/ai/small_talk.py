"""What needs no answer from the knowledge: greetings, thanks, and requests for a person.

Known words decide first, then what the search has understood; an entry that answers the text comes before that.
"""

from __future__ import annotations

from parley.chat.handoff_requests import is_greeting, is_negated, is_thanks
from parley.chat.retrieval.model import Findings
from parley.chat.system_messages import LocaleStrings


def reply_to_small_talk(text: str, strings: LocaleStrings) -> str | None:
    """A greeting or thanks is not a question that needs an answer."""
    if is_greeting(text):
        return strings.greeting
    return strings.thanks if is_thanks(text) else None


def reply_to_intent(findings: Findings, strings: LocaleStrings) -> str | None:
    """As `reply_to_small_talk`, by what a search has understood."""
    if findings.answers:
        return None
    return {"greeting": strings.greeting, "thanks": strings.thanks}.get(findings.intent or "")


def means_request_for_person(text: str, findings: Findings) -> bool:
    return findings.intent == "person" and not findings.answers and not is_negated(text)
