"""Names of rows and arrays that runs write and tables read."""

from __future__ import annotations

MODEL = "model"
SEEN_REMOVED = ", seen removed"  # ends the name of such a row
RANKS = "ranks:"  # begins the name of an array of ranks
