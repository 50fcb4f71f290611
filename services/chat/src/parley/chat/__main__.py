"""`python -m parley.chat` runs the service."""

from parley.chat.bootstrap import main

if __name__ == "__main__":
    main()
