"""What data cannot say of a provider, as named functions: each reads a configuration entry.

A record names one under `placeholders.<name>.quirk`. It gets what the source's pattern
found and returns the placeholder's value, or "" for a value that it cannot read; what it
returns is matched against the placeholder's pattern before anything is sent.
"""

from collections.abc import Callable


def read(quirk: str, value: str) -> str:
    """Return a value as the quirk reads it; without one, or without a value, as it is."""
    return QUIRKS[quirk](value) if quirk and value else value


def netsuite_host(account: str) -> str:
    """Write an account's id as its host has it: 123456_SB1 is 123456-sb1 there.

    NetSuite shows the id in capitals with an underscore before the sandbox's name, and a
    host name can have neither. An account typed in as a host already stays what it is.
    """
    return account.strip().lower().replace("_", "-")


def netsuite_realm(account: str) -> str:
    """Write an account's id as the signature's realm has it: 123456-sb1 is 123456_SB1 there.

    The realm is the id as NetSuite shows it, in capitals. It takes no part in the
    signature itself.
    """
    return account.strip().upper().replace("-", "_")


def zoho_api(accounts_host: str) -> str:
    """Return the host of the API of the data centre that an accounts host belongs to.

    accounts.zoho.eu has www.zohoapis.eu. Canada alone has another domain for accounts,
    accounts.zohocloud.ca, and www.zohoapis.ca like the rest.
    """
    for start in ("accounts.zoho.", "accounts.zohocloud."):
        if accounts_host.startswith(start):
            return f"www.zohoapis.{accounts_host.removeprefix(start)}"
    return ""


def service_now_host(name: str) -> str:
    """Return the host of an instance that is named alone, with its host, or as an address.

    The platform's entry holds "acme" at one element and "https://acme.service-now.com" at
    another; people type both, with and without a slash at the end.
    """
    host = name.strip().lower().removeprefix("https://").rstrip("/")
    return host if "." in host else f"{host}.service-now.com"


#: By the name that records write.
QUIRKS: dict[str, Callable[[str], str]] = {
    function.__name__: function
    for function in (netsuite_host, netsuite_realm, zoho_api, service_now_host)
}
