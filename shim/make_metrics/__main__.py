"""`python -m make_metrics` runs the command line `make-metrics`."""

import sys

from make_metrics.cli import main

if __name__ == "__main__":
    sys.exit(main())
