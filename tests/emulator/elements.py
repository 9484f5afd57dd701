"""The connectors the platform knows from the start; ids as one environment had them."""

from __future__ import annotations

from .records import Element

_SPECIAL = (
    Element("box", 22, "Box", "documents", "box", ""),
    Element("sfdc", 23, "Salesforce", "crm", "salesforce", ""),
    Element("adobe-esign", 426, "Adobe Sign", "esignature", "adobe_sign", ""),
    Element("quickbooks", 39, "QuickBooks Online", "finance", "quickbooks", ""),
    Element("twitter", 1359, "Twitter", "social", "twitter", "", oauth="oauth1"),
)

#: key, id, name, hub; each stands on the generic server and answers a ping.
_GENERIC = (
    ("generic", 9001, "Generic OAuth 2", "general"),
    ("dropbox", 1779, "Dropbox", "documents"),
    ("googledrive", 21, "Google Drive", "documents"),
    ("onedrivev2", 146, "OneDrive", "documents"),
    ("docusign", 158, "DocuSign", "esignature"),
    ("slack", 1358, "Slack", "collaboration"),
    ("zendesk", 41, "Zendesk", "helpdesk"),
    ("servicenowoauth", 566, "ServiceNow", "helpdesk"),
    ("shopify", 48, "Shopify", "ecommerce"),
    ("wrike", 551, "Wrike", "helpdesk"),
)

#: The vendor's tests have no ping for these: a fallback resource is needed.
_NO_PING = (
    ("hubspot", 43, "HubSpot", "marketing"),
    ("hubspotcrm", 168, "HubSpot CRM", "crm"),
    ("github", 6291, "GitHub", "general"),
    ("googlesheets", 552, "Google Sheets", "general"),
    ("mailchimpv3", 527, "Mailchimp", "marketing"),
    ("microsoftgraph", 5836, "Microsoft Graph", "general"),
    ("pipedrive", 167, "Pipedrive", "crm"),
    ("closeio", 166, "Close", "crm"),
    ("paypalv2", 2244, "PayPal", "payment"),
)

ELEMENTS = (
    *_SPECIAL,
    *(Element(*row) for row in _GENERIC),
    *(Element(*row, ping=False) for row in _NO_PING),
)

#: What can be asked of an element in a hub beside the ping.
RESOURCES = {
    "documents": ("folders/contents", "files", "search"),
    "crm": ("accounts", "contacts", "leads"),
    "esignature": ("agreements",),
    "finance": ("customers", "invoices"),
    "helpdesk": ("incidents",),
    "marketing": ("contacts",),
    "social": ("feed",),
    "payment": ("payments",),
    "ecommerce": ("orders",),
    "collaboration": ("channels",),
    "general": ("spreadsheets",),
}
