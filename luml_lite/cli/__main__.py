"""`python -m luml_lite.cli`: the command line."""

from . import main

raise SystemExit(main())
