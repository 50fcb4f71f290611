"""A service that only answers HTTP requests: for tests that start and stop services."""

import http.server
import os
import signal
import threading

HOST = os.environ["PARLEY_HOST"]
NAME = os.environ.get("FAKE_NAME", "?")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with 200 and its process id."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


def main() -> None:
    """Serve until SIGTERM, then append the service's name to the file of stopped services."""
    # Blocked and waited for: a signal handler that sets an event can run while the event's own lock is held.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    for variable in ("PARLEY_PORT", "PARLEY_INTERNAL_PORT"):
        server = http.server.ThreadingHTTPServer((HOST, int(os.environ[variable])), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM})
    with open(os.environ["FAKE_STOPPED_FILE"], "a") as file:  # noqa: PTH123
        file.write(f"{NAME}\n")


if __name__ == "__main__":
    main()
