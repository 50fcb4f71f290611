"""Starts the gateway: `python -m parley.gateway`."""

from parley.gateway.bootstrap import main

if __name__ == "__main__":
    main()
