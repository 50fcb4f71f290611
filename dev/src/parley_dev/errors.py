"""Errors of the development tools. Each message says what the person at the terminal can do."""


class DevError(Exception):
    """An error whose message is shown as it is, without a traceback."""


class AlreadyRunning(DevError):
    """Another `make run` uses this directory."""


class PortTaken(DevError):
    """Another program listens on the gateway's port."""


class ServerUnavailable(DevError):
    """A server's binaries are neither installed nor downloadable."""


class StartFailed(DevError):
    """A process ended, or was not ready in time."""
