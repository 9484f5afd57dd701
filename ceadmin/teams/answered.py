"""What became of a question about a policy, for whoever came too late to answer it."""

from django.utils.translation import gettext, gettext_noop

from ceadmin.teams.choices import Answer
from ceadmin.teams.models import PolicyChange

#: What is said of a question that somebody, or time, was faster to answer.
_ANSWERED = {
    Answer.APPROVED: gettext_noop(
        "This was approved by %(name)s meanwhile. Reload the page."
    ),
    Answer.REFUSED: gettext_noop(
        "This was refused by %(name)s meanwhile. Reload the page."
    ),
    Answer.WITHDRAWN: gettext_noop(
        "This was withdrawn by %(name)s meanwhile. Reload the page."
    ),
    Answer.EXPIRED: gettext_noop("This was expired meanwhile. Reload the page."),
    Answer.VOID: gettext_noop("This was void meanwhile. Reload the page."),
    Answer.USED: gettext_noop("This was used meanwhile. Reload the page."),
}


def answered(change: PolicyChange) -> str:
    """Return the sentence for whoever came too late with an answer of their own."""
    if change.status == Answer.WAITING:
        return gettext("Nobody answered in time, so this expired. Ask again.")
    return gettext(_ANSWERED[Answer(change.status)]) % {"name": change.decided_by_name}
