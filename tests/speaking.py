"""German as tests hear it: every marked sentence comes out in letters that are not Latin."""

from collections.abc import Callable

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from tests.frame.test_languages import strange


def _of(real: Callable[..., str], place: int) -> Callable[..., str]:
    """Return a function that translates into German alone; a sentence stands at `place`."""

    def told(*words: object) -> str:
        if translation.get_language() != "de":
            return real(*words)
        plural = len(words) - place == 3 and words[-1] != 1
        return strange(str(words[place + plural]))

    return told


@pytest.fixture
def german(monkeypatch):
    """Let German be strange, and English what it is."""
    functions = {"gettext": 0, "ngettext": 0, "pgettext": 1, "npgettext": 1}
    for name, place in functions.items():
        told = _of(getattr(trans_real, name), place)
        monkeypatch.setattr(translation._trans, name, told, raising=False)
