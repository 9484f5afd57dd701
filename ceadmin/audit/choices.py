"""What an audit event can say."""

from django.db import models


class Action(models.TextChoices):
    """What was done; the label is the sentence that people read."""

    # The team and what it shares
    ORGANIZATION_ADDED = "organization_added", "An organization was added."
    ORGANIZATION_CHANGED = "organization_changed", "An organization was changed."
    SECRET_CHANGED = "secret_changed", "A secret was changed."
    SECRET_USED = "secret_used", "A run began to use secrets."
    SECRET_KEPT = "secret_kept", "A changed secret was refused: it does not work."
    CONNECTION_TESTED = "connection_tested", "A connection was tested."
    MEMBER_ADDED = "member_added", "A member was added."
    MEMBER_CHANGED = "member_changed", "A member's roles were changed."
    MEMBER_REMOVED = "member_removed", "A member was removed."
    PROVIDER_APP_ADDED = "provider_app_added", "A provider app was added."
    PROVIDER_APP_CHANGED = "provider_app_changed", "A provider app was changed."
    PROVIDER_APP_REMOVED = "provider_app_removed", "A provider app was removed."
    PROVIDER_ENABLED = "provider_enabled", "A provider was switched on."
    PROVIDER_DISABLED = "provider_disabled", "A provider was switched off again."
    OWN_PROVIDER_ADDED = "own_provider_added", "An own provider was added."
    OWN_PROVIDER_CHANGED = "own_provider_changed", "An own provider was changed."
    OWN_PROVIDER_IMPORTED = (
        "own_provider_imported",
        "An own provider was read from a file.",
    )
    OWN_PROVIDER_RESTORED = (
        "own_provider_restored",
        "An own provider got an older version back.",
    )
    OWN_PROVIDER_REMOVED = "own_provider_removed", "An own provider was removed."
    LIMIT_CHANGED = "limit_changed", "A limit of calls was set or taken away."
    KEYS_ROTATING = "keys_rotating", "Sealing anew with the newest key was begun."
    KEYS_ROTATED = "keys_rotated", "Secrets were sealed anew with the newest key."
    KEY_FORGOTTEN = "key_forgotten", "Secrets of a lost key were removed."
    # When a second person is needed
    POLICY_CHANGED = "policy_changed", "A policy was changed."
    POLICY_ASKED = "policy_asked", "A looser policy was asked for."
    POLICY_REFUSED = "policy_refused", "A looser policy was refused."
    POLICY_WITHDRAWN = "policy_withdrawn", "A looser policy was asked for no longer."
    POLICY_EXPIRED = "policy_expired", "A looser policy was answered by nobody."
    POLICY_VOID = "policy_void", "A looser policy asked for became void."
    POLICY_DENIED = "policy_denied", "Something asked of a policy was denied."
    # Runs and their items
    RUN_DRAFTED = "run_drafted", "A run was drafted."
    APPROVAL_ASKED = "approval_asked", "Approval of a run was asked for."
    RUN_APPROVED = "run_approved", "A run was approved."
    RUN_REFUSED = "run_refused", "A run was refused by an approver."
    APPROVAL_WITHDRAWN = "approval_withdrawn", "Approval was asked for no longer."
    APPROVAL_EXPIRED = "approval_expired", "An approval expired."
    APPROVAL_VOID = "approval_void", "An approval became void."
    GLASS_BROKEN = "glass_broken", "A run was started without the approval it needed."
    GLASS_REVIEWED = "glass_reviewed", "A start without approval was reviewed."
    RUN_DENIED = "run_denied", "Something asked of a run was denied."
    RUN_STARTED = "run_started", "A run was started."
    RUN_PAUSED = "run_paused", "A run was paused."
    RUN_RESUMED = "run_resumed", "A run was resumed."
    RUN_STOPPED = "run_stopped", "A run was stopped."
    RUN_RETRIED = "run_retried", "What failed in a run was tried again by another."
    RUN_FINISHED = "run_finished", "A run was finished."
    RUN_CHANGED = "run_changed", "How many calls a run may have in flight was changed."
    PART_HELD = "part_held", "A provider's part of a run was held."
    PART_WENT_ON = "part_went_on", "A provider's held part of a run went on."
    PART_LEFT_OUT = "part_left_out", "A provider was left out of a run."
    RUN_EXPIRED = "run_expired", "A drafted run expired."
    REVOKE_INTENDED = "revoke_intended", "A revocation was about to be sent."
    REVOKE_ANSWERED = "revoke_answered", "A provider answered a revocation."
    ITEM_SETTLED = "item_settled", "An instance's part of a run was settled."
    STATUS_CHANGED = "status_changed", "An instance's status changed."
    # Reconnecting people
    LINK_MADE = "link_made", "A reconnect link was made."
    LINK_CHANGED = "link_changed", "How long a reconnect link works was changed."
    LINK_SENT = "link_sent", "A reconnect link was given to the mail server."
    LINK_OPENED = "link_opened", "A person started from a reconnect link."
    LINK_CONSENTED = "link_consented", "A person consented at the provider."
    LINK_FINISHED = "link_finished", "A reconnect link was used up: reconnected."
    LINK_REFUSED = "link_refused", "A reconnect ended without a connection."
    LINK_CANCELLED = "link_cancelled", "A reconnect link was cancelled."
    LINK_EXPIRED = "link_expired", "A reconnect link expired."
    CALLBACK_REFUSED = "callback_refused", "A callback was refused."
    # Mirroring the platform
    INSTANCE_SYNCED = "instance_synced", "Instances were synced."
    INSTANCE_CHANGED = "instance_changed", "An instance was changed."
    # People
    SIGNED_IN = "signed_in", "A person signed in."
    SIGN_IN_REFUSED = "sign_in_refused", "A sign-in was refused."
    SIGN_INS_REFUSED = "sign_ins_refused", "More sign-ins were refused: a count."
    SIGN_IN_UNLOCKED = "sign_in_unlocked", "Refused sign-ins were forgotten."
    SIGNED_OUT = "signed_out", "A person signed out."
    SESSIONS_ENDED = "sessions_ended", "Sessions of a person were ended."
    PERSON_CONFIRMED = "person_confirmed", "A person confirmed that it is them."
    CONFIRM_REFUSED = "confirm_refused", "A person could not confirm that it is them."
    FACTOR_SET = "factor_set", "A second factor was set up."
    FACTOR_REMOVED = "factor_removed", "A person removed their second factor."
    FACTOR_RESET = "factor_reset", "A person's second factor was taken away."
    RECOVERY_CODES_MADE = "recovery_codes_made", "New recovery codes were made."
    RECOVERY_CODE_USED = "recovery_code_used", "A recovery code was used."
    MEMBER_INVITED = "member_invited", "A member was invited."
    INVITATION_RENEWED = "invitation_renewed", "An invitation got a new link."
    INVITATION_WITHDRAWN = "invitation_withdrawn", "An invitation was withdrawn."
    INVITATION_ACCEPTED = "invitation_accepted", "An invitation was accepted."
    INVITATION_REFUSED = "invitation_refused", "The link of an invitation was refused."
    ACCESS_DENIED = "access_denied", "Somebody tried what they may not do."
    USER_ADDED = "user_added", "A user was added."
    USER_CHANGED = "user_changed", "A user was changed."
    PERSON_ERASED = "person_erased", "A person was erased: their events stay."
    # The history itself
    AUDIT_READ = "audit_read", "The audit was read."
    AUDIT_EXPORTED = "audit_exported", "The audit was exported."
    CHECKPOINT_REFUSED = (
        "checkpoint_refused",
        "The audit is not what was signed before.",
    )
    CLOCK_WENT_BACK = "clock_went_back", "The clock was set back."


class ActorKind(models.TextChoices):
    """Who or what acted."""

    PERSON = "person", "Person"  # somebody with an account here
    CUSTOMER = "customer", "Customer"  # somebody with a reconnect link
    SCHEDULE = "schedule", "Schedule"  # what runs by itself, at its time
    SYSTEM = "system", "System"  # the product, or an operator at its console
