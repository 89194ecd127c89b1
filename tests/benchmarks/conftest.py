"""Makes `benchmarks` importable, which is not an installed package.

At the end of the path, so that all else is what is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))  # this folder's small tables
