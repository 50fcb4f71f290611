"""`python -m parley.presence` runs the service."""

from parley.presence.bootstrap import main

if __name__ == "__main__":
    main()
