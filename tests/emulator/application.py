"""One request from its bytes to its delivery: who is meant, which faults match, what is answered and logged."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from . import cloud_elements, control, player, provider_hosts
from .faults import KINDS, Fault, Faults
from .journal import Journal
from .messages import PREFIX, Answer, Delivery, Refused, Request, nothing, page
from .profiles import provider_of_host
from .world import World

_CONTROL = "/_control/"
_INDEX = (
    "<h1>Emulator of Cloud Elements and its providers</h1><p>Nothing here is real. The platform is at"
    " <code>/elements/api-v2</code>, a provider at <code>/its.host.name</code>.</p>"
)


class Application:
    """The emulated world and everything that answers for it."""

    def __init__(self, state: Path | None = None, log: Path | None = None) -> None:
        self.world = World(state)
        self.journal = Journal(log)
        self.faults = Faults()

    def handle(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> Delivery:
        """Answer one request."""
        raw_path, _, raw_query = target.partition("?")
        if "://" in raw_path:  # a proxy's absolute form
            raw_path = urlsplit(raw_path).path
        request = Request(
            method, unquote(raw_path), parse_qsl(raw_query, True), headers, body
        )
        if request.path.startswith(_CONTROL):
            request.path = request.path.removeprefix(_CONTROL)
            return Delivery(control.answer(self, request))
        if request.path in ("/", "/favicon.ico", "/robots.txt"):
            return Delivery(
                page("Emulator", _INDEX) if request.path == "/" else nothing(404)
            )
        _address(request)
        _identify(self.world, request)
        delivery = self._spoiled(request, self.faults.matching(request))
        self.journal.write(request, delivery)
        return delivery

    def _spoiled(self, request: Request, faults: list[Fault]) -> Delivery:
        """Answer, with every matching fault doing its part."""
        request.trace.fault = ",".join(fault.kind for fault in faults)
        for fault in faults:
            prepare = KINDS[fault.kind].prepare
            if prepare is not None and fault.when == "before":
                prepare(self.world, request, fault)
        instead = any(
            fault.when == "before" and KINDS[fault.kind].replaces for fault in faults
        )
        delivery = Delivery(nothing(502) if instead else self._answer(request))
        if instead:
            request.note("not_processed", *request.trace.instances)
        for fault in faults:
            self._spoil(request, delivery, fault)
        return delivery

    def _spoil(self, request: Request, delivery: Delivery, fault: Fault) -> None:
        kind = KINDS[fault.kind]
        if kind.prepare is not None and fault.when == "after":
            kind.prepare(self.world, request, fault)
        if kind.answer is not None:
            delivery.answer = kind.answer(delivery.answer, fault)
        if kind.deliver is not None:
            kind.deliver(delivery, fault)

    def _answer(self, request: Request) -> Answer:
        answer = cloud_elements.answer if request.platform else provider_hosts.answer
        try:
            return answer(self.world, request)
        except Refused as refusal:
            request.trace.effect = refusal.effect
            return refusal.answer

    def flush(self) -> None:
        """Write state and log."""
        self.world.flush()
        self.journal.flush()

    def close(self) -> None:
        """Write state and log for the last time."""
        self.world.close()
        self.journal.close()


def _address(request: Request) -> None:
    """Split the path into the real host and the rest; `/elements/api-v2` alone is the platform."""
    if request.path.startswith(PREFIX):
        request.host = "api.cloud-elements.com"
    else:
        host, _, rest = request.path[1:].partition("/")
        request.host, request.path = host.partition(":")[0].lower(), "/" + rest
    request.platform = request.path.startswith(PREFIX)
    if request.platform:
        request.path = request.path.removeprefix(PREFIX) or "/"
        request.trace.side = (
            "element" if request.path.startswith(("/ping", "/hubs/")) else "platform"
        )


def _identify(world: World, request: Request) -> None:
    """Find out which instances a request is about before anything changes."""
    if request.platform:
        _, _, token = request.headers.get("authorization", "").partition("Element")
        instance = world.instance_by_token(token.partition(",")[0].strip(": "))
        named = [piece for piece in request.path.split("/") if piece.isdigit()]
        held = instance or next(
            (
                world.instances[int(piece)]
                for piece in named
                if int(piece) in world.instances
            ),
            None,
        )
        request.trace.instances = [held.id] if held is not None else []
        request.trace.provider = (
            world.elements[held.element].provider if held is not None else ""
        )
        return
    profile = provider_of_host(request.host)
    request.trace.provider = (
        "generic" if request.host in world.servers else profile.key if profile else ""
    )
    if not request.trace.provider or world.switch("recordings_first"):
        request.trace.provider = player.provider_of(world, request)
    request.trace.instances = world.instances_of_grant(
        world.grant_by_token(_token(request))
    )


def _token(request: Request) -> str:
    """Return the provider's token that a request carries in any of the usual places."""
    found = request.bearer() or request.form().get("token") or request.arg("token")
    if not found and request.content_type() == "application/json":
        try:
            body = request.json()
        except ValueError:
            return ""
        found = str(body.get("token") or "") if isinstance(body, dict) else ""
    return found
