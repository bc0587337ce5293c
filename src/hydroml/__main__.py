"""`python -m hydroml`."""

import sys

from hydroml.entrypoints.management.cli import main

sys.exit(main())
