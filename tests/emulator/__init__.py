"""A stand-in for Cloud Elements and for the OAuth servers of its providers. Standard library only; see README.md."""

from __future__ import annotations

from .emulator import Emulator, start

__all__ = ["Emulator", "start"]
