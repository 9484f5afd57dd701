"""What an audit event can say."""

from django.db import models


class Action(models.TextChoices):
    """What was done; the label is the sentence that people read."""

    # The team and what it shares
    ORGANIZATION_ADDED = "organization_added", "An organization was added."
    ORGANIZATION_CHANGED = "organization_changed", "An organization was changed."
    SECRET_CHANGED = "secret_changed", "A secret was changed."
    CONNECTION_TESTED = "connection_tested", "A connection was tested."
    MEMBER_ADDED = "member_added", "A member was added."
    MEMBER_CHANGED = "member_changed", "A member's roles were changed."
    MEMBER_REMOVED = "member_removed", "A member was removed."
    PROVIDER_APP_ADDED = "provider_app_added", "A provider app was added."
    PROVIDER_APP_CHANGED = "provider_app_changed", "A provider app was changed."
    PROVIDER_APP_REMOVED = "provider_app_removed", "A provider app was removed."
    # Runs and their items
    RUN_DRAFTED = "run_drafted", "A run was drafted."
    RUN_STARTED = "run_started", "A run was started."
    RUN_PAUSED = "run_paused", "A run was paused."
    RUN_RESUMED = "run_resumed", "A run was resumed."
    RUN_STOPPED = "run_stopped", "A run was stopped."
    RUN_FINISHED = "run_finished", "A run was finished."
    RUN_EXPIRED = "run_expired", "A drafted run expired."
    REVOKE_INTENDED = "revoke_intended", "A revocation was about to be sent."
    REVOKE_ANSWERED = "revoke_answered", "A provider answered a revocation."
    ITEM_SETTLED = "item_settled", "An instance's part of a run was settled."
    STATUS_CHANGED = "status_changed", "An instance's status changed."
    # Reconnecting people
    LINK_MADE = "link_made", "A reconnect link was made."
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
    SIGNED_OUT = "signed_out", "A person signed out."
    USER_ADDED = "user_added", "A user was added."
    USER_CHANGED = "user_changed", "A user was changed."


class ActorKind(models.TextChoices):
    """Who or what acted."""

    PERSON = "person", "Person"  # somebody with an account here
    CUSTOMER = "customer", "Customer"  # somebody with a reconnect link
    SCHEDULE = "schedule", "Schedule"  # what runs by itself, at its time
    SYSTEM = "system", "System"  # the product, or an operator at its console
