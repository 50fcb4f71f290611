"""`python -m parley.notify` runs the service."""

from parley.notify.app import main

if __name__ == "__main__":
    main()
