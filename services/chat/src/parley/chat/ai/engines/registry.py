"""All AI engines that a site can choose, by name.

To add an engine, write its class in this folder, with the methods of `AiEngine` (`ai/engine.py`), and add one line to
`ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.engines.builtin import BuiltinEngine
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.engines.openai import OpenAiEngine

ENGINES: Mapping[str, Callable[[EngineContext], AiEngine]] = {
    BuiltinEngine.name: lambda context: BuiltinEngine(),
    OpenAiEngine.name: OpenAiEngine,
}
