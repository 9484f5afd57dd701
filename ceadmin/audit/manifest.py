"""What stands beside an export: what is in it, how far each chain came, signed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ceadmin.audit.canonical import dump
from ceadmin.audit.checkpoints import BadCheckpoint, Checkpoint, of
from ceadmin.lib.signing import PublicKeys, sign

SUFFIX = ".manifest.json"
FORMAT = "ceadmin audit export 1"
_PURPOSE = b"ceadmin audit export 1\n"


class BadManifest(ValueError):
    """What stands beside an export is no manifest."""


@dataclass(slots=True)
class Manifest:
    """An export's contents; `chains` are signed checkpoints of their own."""

    made_at: str
    made_by: str  # the pseudonym
    kind: str
    names: bool
    sha256: str
    events: int
    chains: Sequence[Checkpoint]
    organizations: dict[str, str] = field(default_factory=dict)
    format: str = FORMAT
    key: str = ""
    proof: str = ""

    def signed(self) -> "Manifest":
        """Return it with the signature of the newest key."""
        self.key, self.proof = sign(self._message())
        return self

    def text(self) -> str:
        """Return it as a file has it."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    def problem(self, keys: PublicKeys) -> str:
        """Say what is wrong with the signatures, or nothing."""
        if self.key not in keys:
            return f"it is signed with the key {self.key!r}, which is not known"
        if not keys.hold(self.key, self._message(), self.proof):
            return "its signature does not hold"
        bad = [one.problem(keys) for one in self.chains]
        return next((f"a checkpoint in it {said}" for said in bad if said), "")

    def _message(self) -> bytes:
        content = asdict(self)
        del content["key"], content["proof"]
        return _PURPOSE + dump(content).encode("ascii")


def parse(text: str) -> Manifest:
    """Read a manifest; raise `BadManifest`."""
    try:
        content: dict[str, Any] = json.loads(text)
        content["chains"] = [of(one) for one in content["chains"]]
        found = Manifest(**content)
    except (ValueError, KeyError, TypeError, AttributeError, BadCheckpoint) as error:
        raise BadManifest("it is no manifest of an export") from error
    if found.format != FORMAT:
        raise BadManifest(f"its format is not {FORMAT!r}")
    return found
