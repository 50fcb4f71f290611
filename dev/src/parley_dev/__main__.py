"""`python -m parley_dev`."""

from parley_dev.cli import main

raise SystemExit(main())
