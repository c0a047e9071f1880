"""Bytes into sinks: written and hashed, beside each other where that is worth it, counted when they have landed."""

from __future__ import annotations
