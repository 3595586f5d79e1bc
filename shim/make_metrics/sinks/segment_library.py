"""What we use of segment-analytics-python, without what it loads for OAuth: a tenth of a sender's processor time."""

from __future__ import annotations

import sys

from make_metrics.processes.later import Later

# PyJWT loads cryptography. Where it is used after all, it is loaded.
sys.modules.setdefault("jwt", Later("jwt"))

from segment.analytics import request as segment  # type: ignore[import-untyped]  # noqa: E402
from segment.analytics.consumer import BATCH_SIZE_LIMIT, MAX_MSG_SIZE  # type: ignore[import-untyped]  # noqa: E402

__all__ = ["BATCH_SIZE_LIMIT", "MAX_MSG_SIZE", "segment"]
