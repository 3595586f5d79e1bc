"""`python -m shim` is `make-metrics`."""

import sys

from shim.cli import main

if __name__ == "__main__":
    sys.exit(main())
