"""The header Retry-After: seconds or a date, and whatever else servers write there."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

_DIGITS_MOST = 12


def seconds_to_wait(value: str | None, now: float) -> float | None:
    """How long a server asks to be left alone; None where it does not say, or not in a way that can be read."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= _DIGITS_MOST else math.inf
    try:
        moment = parsedate_to_datetime(text)
        # a date without a zone is in UTC, as all dates of HTTP
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
