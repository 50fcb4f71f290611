"""What the widget's button says before the chat is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from parley.presence.visitors.button_texts import BUTTON_TEXTS

CATALOGUES = Path(__file__).parents[3] / "web/widget/src/i18n"


def test_each_language_of_the_widget_names_the_button_as_the_widget_does() -> None:
    names = {path.stem: json.loads(path.read_text("utf-8"))["openChat"] for path in CATALOGUES.glob("*.json")}
    assert {language: texts.open_chat for language, texts in BUTTON_TEXTS.items()} == names
    failed = [texts.load_failed for texts in BUTTON_TEXTS.values()]
    assert all(text.endswith("…") for text in failed)
    assert len(set(failed)) == len(failed)
