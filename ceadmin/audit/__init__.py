"""Who did what to what, why, and what came of it: append-only and chained.

`ceadmin.audit.record` writes events, `ceadmin.audit.actors` says who acts,
`ceadmin.audit.verify` proves that nothing was changed since.
"""
