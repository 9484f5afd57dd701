"""What an audit event can say."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """What was done; the label is the sentence that people read, in their language.

    Events hold the value only: nothing that is stored, hashed or exported is translated.
    """

    # The team and what it shares
    ORGANIZATION_ADDED = "organization_added", _("An organization was added.")
    ORGANIZATION_CHANGED = "organization_changed", _("An organization was changed.")
    SECRET_CHANGED = "secret_changed", _("A secret was changed.")
    SECRET_USED = "secret_used", _("A run began to use secrets.")
    SECRET_KEPT = "secret_kept", _("A changed secret was refused: it does not work.")
    CONNECTION_TESTED = "connection_tested", _("A connection was tested.")
    MEMBER_ADDED = "member_added", _("A member was added.")
    MEMBER_CHANGED = "member_changed", _("A member's roles were changed.")
    MEMBER_REMOVED = "member_removed", _("A member was removed.")
    PROVIDER_APP_ADDED = "provider_app_added", _("A provider app was added.")
    PROVIDER_APP_CHANGED = "provider_app_changed", _("A provider app was changed.")
    PROVIDER_APP_REMOVED = "provider_app_removed", _("A provider app was removed.")
    PROVIDER_ENABLED = "provider_enabled", _("A provider was switched on.")
    PROVIDER_DISABLED = "provider_disabled", _("A provider was switched off again.")
    OWN_PROVIDER_ADDED = "own_provider_added", _("An own provider was added.")
    OWN_PROVIDER_CHANGED = "own_provider_changed", _("An own provider was changed.")
    OWN_PROVIDER_IMPORTED = (
        "own_provider_imported",
        _("An own provider was read from a file."),
    )
    OWN_PROVIDER_RESTORED = (
        "own_provider_restored",
        _("An own provider got an older version back."),
    )
    OWN_PROVIDER_REMOVED = "own_provider_removed", _("An own provider was removed.")
    LIMIT_CHANGED = "limit_changed", _("A limit of calls was set or taken away.")
    KEYS_ROTATING = "keys_rotating", _("Sealing anew with the newest key was begun.")
    KEYS_ROTATED = "keys_rotated", _("Secrets were sealed anew with the newest key.")
    KEY_FORGOTTEN = "key_forgotten", _("Secrets of a lost key were removed.")
    # When a second person is needed
    POLICY_CHANGED = "policy_changed", _("A policy was changed.")
    POLICY_ASKED = "policy_asked", _("A looser policy was asked for.")
    POLICY_REFUSED = "policy_refused", _("A looser policy was refused.")
    POLICY_WITHDRAWN = "policy_withdrawn", _("A looser policy was asked for no longer.")
    POLICY_EXPIRED = "policy_expired", _("A looser policy was answered by nobody.")
    POLICY_VOID = "policy_void", _("A looser policy asked for became void.")
    POLICY_DENIED = "policy_denied", _("Something asked of a policy was denied.")
    # Runs and their items
    RUN_DRAFTED = "run_drafted", _("A run was drafted.")
    APPROVAL_ASKED = "approval_asked", _("Approval of a run was asked for.")
    RUN_APPROVED = "run_approved", _("A run was approved.")
    RUN_REFUSED = "run_refused", _("A run was refused by an approver.")
    APPROVAL_WITHDRAWN = "approval_withdrawn", _("Approval was asked for no longer.")
    APPROVAL_EXPIRED = "approval_expired", _("An approval expired.")
    APPROVAL_VOID = "approval_void", _("An approval became void.")
    GLASS_BROKEN = (
        "glass_broken",
        _("A run was started without the approval it needed."),
    )
    GLASS_REVIEWED = "glass_reviewed", _("A start without approval was reviewed.")
    RUN_DENIED = "run_denied", _("Something asked of a run was denied.")
    RUN_STARTED = "run_started", _("A run was started.")
    RUN_PAUSED = "run_paused", _("A run was paused.")
    RUN_RESUMED = "run_resumed", _("A run was resumed.")
    RUN_STOPPED = "run_stopped", _("A run was stopped.")
    RUN_RETRIED = "run_retried", _("What failed in a run was tried again by another.")
    RUN_FINISHED = "run_finished", _("A run was finished.")
    RUN_CHANGED = (
        "run_changed",
        _("How many calls a run may have in flight was changed."),
    )
    PART_HELD = "part_held", _("A provider's part of a run was held.")
    PART_WENT_ON = "part_went_on", _("A provider's held part of a run went on.")
    PART_LEFT_OUT = "part_left_out", _("A provider was left out of a run.")
    RUN_DISCARDED = "run_discarded", _("A draft was discarded.")
    RUN_EXPIRED = "run_expired", _("A drafted run expired.")
    REVOKE_INTENDED = "revoke_intended", _("A revocation was about to be sent.")
    REVOKE_ANSWERED = "revoke_answered", _("A provider answered a revocation.")
    ITEM_SETTLED = "item_settled", _("An instance's part of a run was settled.")
    STATUS_CHANGED = "status_changed", _("An instance's status changed.")
    # Reconnecting people
    LINK_MADE = "link_made", _("A reconnect link was made.")
    LINK_CHANGED = "link_changed", _("How long a reconnect link works was changed.")
    LINK_SENT = "link_sent", _("A reconnect link was given to the mail server.")
    LINK_OPENED = "link_opened", _("A person started from a reconnect link.")
    LINK_CONSENTED = "link_consented", _("A person consented at the provider.")
    LINK_FINISHED = "link_finished", _("A reconnect link was used up: reconnected.")
    LINK_REFUSED = "link_refused", _("A reconnect ended without a connection.")
    LINK_CANCELLED = "link_cancelled", _("A reconnect link was cancelled.")
    LINK_EXPIRED = "link_expired", _("A reconnect link expired.")
    CALLBACK_REFUSED = "callback_refused", _("A callback was refused.")
    # Mirroring the platform
    INSTANCE_SYNCED = "instance_synced", _("Instances were synced.")
    INSTANCE_CHANGED = "instance_changed", _("An instance was changed.")
    # People
    SIGNED_IN = "signed_in", _("A person signed in.")
    SIGN_IN_REFUSED = "sign_in_refused", _("A sign-in was refused.")
    SIGN_INS_REFUSED = "sign_ins_refused", _("More sign-ins were refused: a count.")
    SIGN_IN_UNLOCKED = "sign_in_unlocked", _("Refused sign-ins were forgotten.")
    SIGNED_OUT = "signed_out", _("A person signed out.")
    SESSIONS_ENDED = "sessions_ended", _("Sessions of a person were ended.")
    PERSON_CONFIRMED = "person_confirmed", _("A person confirmed that it is them.")
    CONFIRM_REFUSED = (
        "confirm_refused",
        _("A person could not confirm that it is them."),
    )
    FACTOR_SET = "factor_set", _("A second factor was set up.")
    FACTOR_REMOVED = "factor_removed", _("A person removed their second factor.")
    FACTOR_RESET = "factor_reset", _("A person's second factor was taken away.")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("New recovery codes were made.")
    RECOVERY_CODE_USED = "recovery_code_used", _("A recovery code was used.")
    MEMBER_INVITED = "member_invited", _("A member was invited.")
    INVITATION_RENEWED = "invitation_renewed", _("An invitation got a new link.")
    INVITATION_WITHDRAWN = "invitation_withdrawn", _("An invitation was withdrawn.")
    INVITATION_ACCEPTED = "invitation_accepted", _("An invitation was accepted.")
    INVITATION_REFUSED = (
        "invitation_refused",
        _("The link of an invitation was refused."),
    )
    ACCESS_DENIED = "access_denied", _("Somebody tried what they may not do.")
    USER_ADDED = "user_added", _("A user was added.")
    USER_CHANGED = "user_changed", _("A user was changed.")
    PERSON_ERASED = "person_erased", _("A person was erased: their events stay.")
    # What is taken out of the product
    LIST_EXPORTED = "list_exported", _("A list was exported.")
    # The history itself
    AUDIT_READ = "audit_read", _("The audit was read.")
    AUDIT_EXPORTED = "audit_exported", _("The audit was exported.")
    CHECKPOINT_REFUSED = (
        "checkpoint_refused",
        _("The audit is not what was signed before."),
    )
    CLOCK_WENT_BACK = "clock_went_back", _("The clock was set back.")


class ActorKind(models.TextChoices):
    """Who or what acted."""

    PERSON = "person", _("Person")  # somebody with an account here
    CUSTOMER = "customer", _("Customer")  # somebody with a reconnect link
    SCHEDULE = "schedule", _("Schedule")  # what runs by itself, at its time
    SYSTEM = "system", _("System")  # the product, or an operator at its console
