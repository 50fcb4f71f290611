"""`python -m parley.notify` runs the service."""

from parley.notify.bootstrap import main

if __name__ == "__main__":
    main()
