"""What can go wrong on somebody's machine, each said in a sentence that person can act on."""


class DevError(Exception):
    """Something a person must know; its text is shown as it is, without a trace."""


class AlreadyRunning(DevError):
    """Another `make run` holds this folder."""


class PortTaken(DevError):
    """The port the gateway should listen on belongs to somebody else."""


class ServerUnavailable(DevError):
    """A server's binaries are neither here nor to be had."""


class StartFailed(DevError):
    """A process ended, or stayed silent, when it should have become ready."""
