"""Sentences with holes that records and selections make, and that stand with a run or its items.

They are written down where they are made; a page looks here for what fills their holes.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

from ceadmin.lib.sayings import Saying

#: Why a record's call could not be sent (`providers.errors.NotRevocable`).
_OF_RECORDS = (
    gettext_noop(
        "The token or the app's credentials have characters that cannot be sent in this "
        "call to %(provider)s. Read the instance again; if it stays so, revoke by hand."
    ),
    gettext_noop(
        "%(provider)s asks for the client id and secret of the app that the grant was "
        "given to, and the provider app has none. Set them in the provider app."
    ),
    gettext_noop("%(provider)s has no form of revocation called %(form)s."),
    gettext_noop("%(provider)s offers no revocation that can be called."),
    gettext_noop(
        "%(provider)s wants the call signed with the secret of the token, and the "
        "platform does not show it."
    ),
    gettext_noop(
        "The platform hides the %(token)s of this instance behind asterisks, so there is "
        "nothing that could be sent."
    ),
    gettext_noop("%(provider)s revokes %(tokens)s only."),
    gettext_noop("%(provider)s wants the %(token)s, and the instance holds none."),
    gettext_noop(
        "%(host)s is no public host, so nothing was sent there. Correct the site values "
        "of the provider app for %(provider)s."
    ),
    gettext_noop(
        "%(misfit)s is no address that the record of %(provider)s vouches for, so nothing "
        "was sent there. Correct it, or set %(name)s (%(meaning)s) among the site values "
        "of the provider app."
    ),
    gettext_noop(
        "The instance's configuration does not tell %(name)s (%(meaning)s), which "
        "%(provider)s needs."
    ),
    gettext_noop(
        "The instance's configuration does not tell %(name)s (%(meaning)s), which "
        "%(provider)s needs. Set it among the site values of the provider app."
    ),
)
#: Why a selection was not understood (`instances.selection.BadSelection`).
_OF_SELECTIONS = (
    gettext_noop("There is no filter “%(name)s”. Known: %(known)s."),
    gettext_noop("There is no status “%(name)s”. Known: %(known)s."),
)

SAYINGS = tuple(Saying(text) for text in (*_OF_RECORDS, *_OF_SELECTIONS))
