"""A service that is only an address: for tests of what starts and stops services."""

import http.server
import os
import signal
import threading

HOST = os.environ["PARLEY_HOST"]
NAME = os.environ.get("FAKE_NAME", "?")


class Answer(http.server.BaseHTTPRequestHandler):
    """200 to anything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def main() -> None:
    """Serve until told to stop, which is written down with the time."""
    # Blocked and waited for: a handler that sets an event can come while the event's own lock is held.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    for variable in ("PARLEY_PORT", "PARLEY_INTERNAL_PORT"):
        server = http.server.ThreadingHTTPServer((HOST, int(os.environ[variable])), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM})
    with open(os.environ["FAKE_ENDINGS"], "a") as file:  # noqa: PTH123
        file.write(f"{NAME}\n")


if __name__ == "__main__":
    main()
