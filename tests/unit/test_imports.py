"""Services do not import optional libraries at startup."""

from __future__ import annotations

import asyncio
import sys

import pytest

OPTIONAL = {
    "gateway": {"opentelemetry"},
    "chat": {"minio", "openai", "opentelemetry"},
    "presence": {"opentelemetry"},
    "notify": {"pyfcm", "google.auth", "requests", "opentelemetry"},
    "translate": {"google.cloud.translate_v3", "opentelemetry"},
}


@pytest.mark.parametrize("service", OPTIONAL)
async def test_a_service_imports_no_optional_library_at_startup(service: str) -> None:
    script = f"import sys, parley.{service}.bootstrap; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    loaded = set(output.decode().split())
    assert f"parley.{service}.bootstrap" in loaded
    assert not OPTIONAL[service] & loaded
