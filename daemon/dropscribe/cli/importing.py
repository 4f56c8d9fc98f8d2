"""A command's modules, loaded without what they bring along needlessly: the daemon is to be ready within a second."""

import gc
import sys
from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Import a module. What is loaded stays, so no collection looks for garbage in it: not while it is loaded (a sixth
    of the time), and not later (3 % of what a small file costs).
    """
    if name in sys.modules:
        return sys.modules[name]
    collecting = gc.isenabled()
    gc.disable()
    try:
        _load_structlog()
        return import_module(name)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def _load_structlog() -> None:
    """Without rich, which it would load for tracebacks in colour (5 % of the time); ours are plain. What needs rich
    imports it later.
    """
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment] # how an import is refused, as the language says
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
