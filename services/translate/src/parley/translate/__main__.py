"""Runs the service: `python -m parley.translate`."""

from parley.translate.bootstrap import main

main()
