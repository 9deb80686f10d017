"""Loads the loopback guard into every Python process that tests start: the folder is on their PYTHONPATH."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_path = Path(__file__).parents[1] / "loopback_guard.py"
_spec = importlib.util.spec_from_file_location("loopback_guard", _path)
assert _spec is not None
assert _spec.loader is not None
_guard = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _guard  # one module, one exception class, however it is imported later
_spec.loader.exec_module(_guard)
_guard.install()
