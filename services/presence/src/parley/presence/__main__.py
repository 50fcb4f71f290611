"""Runs the service: `python -m parley.presence`."""

from parley.presence.bootstrap import main

if __name__ == "__main__":
    main()
