"""The blocking verbs, bound when they are first used; `groups.pyi` shows them to static tools."""

from ..drivers.blocking import iterate, run
from .binding import VERBS, lazy_verbs

__all__ = VERBS
__getattr__ = lazy_verbs(globals(), "luml_lite", run, iterate)
