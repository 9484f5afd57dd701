"""Reasons that people give: kept in the audit, so they have to say something."""

from ceadmin.audit.canonical import visible

LONGEST_REASON = 500


def said(text: str) -> str:
    """Return a reason as it is kept; "" for one that says nothing.

    Spaces, dots and what nobody can see are no reason: a letter or digit has to be in it.
    """
    if not any(letter.isalnum() for letter in text):
        return ""
    return " ".join(visible(text).split())[:LONGEST_REASON]
