"""Runs the service: `python -m parley.translate`."""

from parley.translate.app import main

main()
