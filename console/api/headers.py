"""Headers that every answer carries, and how much may be sent to us; plain ASGI, so that streams are not held back."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.api.answers import problem
from console.api.problems import Refusal

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; report-uri /api/v1/csp-reports"
)
MOST_BYTES = 1 << 20
"""Bytes of a body, but for intake, which has a limit of its own."""
INTAKE = "/api/v1/intake"
HEADERS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
STRICT_TRANSPORT = ("strict-transport-security", "max-age=31536000")


class Headers:
    """Puts the security headers on every answer; `secure`: over TLS, so tell browsers to stay there."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        pairs = (*HEADERS, STRICT_TRANSPORT) if secure else HEADERS
        self._headers = [(name.encode(), value.encode()) for name, value in pairs]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_intake = scope["path"].startswith(INTAKE)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not is_intake and (not length.isdigit() or int(length) > MOST_BYTES):
            await problem(Refusal("too_large"))(scope, receive, send)
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES and not is_intake:
                # A body without a length that does not end: as if the sender had hung up.
                return {"type": "http.disconnect"}
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self._app(scope, bounded, told)
