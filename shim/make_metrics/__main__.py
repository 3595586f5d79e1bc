"""`python -m make_metrics` is `make-metrics`."""

import sys

from make_metrics.cli import main

if __name__ == "__main__":
    sys.exit(main())
