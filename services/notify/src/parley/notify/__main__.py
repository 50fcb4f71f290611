"""Run the service: `python -m parley.notify`."""

from parley.notify.bootstrap import main

if __name__ == "__main__":
    main()
