"""The AI engines. To add one: a class derived from `AiEngine` in a module here, and its line in `registry.py`."""
