"""Who may do what where: a closed set of actions, three roles, and one `authorize` that everything passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from alerts.queue import Scope
from console.api.problems import Refusal
from console.api.shapes import Role

Action = Literal[
    "public",
    "session",
    "queue:read",
    "warning:read",
    "text:read",
    "warning:acknowledge",
    "warning:confirm",
    "warning:decline",
    "warning:assign",
    "warning:note",
    "warning:close",
    "warning:reopen",
    "warning:undo",
    "territory:read",
    "sources:read",
    "scoreboard:read",
    "stream:read",
    "deadletters:read",
    "deadletters:mend",
    "config:reload",
    "accounts:manage",
]

_READS: frozenset[Action] = frozenset(
    {"session", "queue:read", "warning:read", "territory:read", "sources:read", "scoreboard:read", "stream:read"}
)
_ACTS: frozenset[Action] = frozenset(
    {
        "text:read",
        "warning:acknowledge",
        "warning:confirm",
        "warning:decline",
        "warning:assign",
        "warning:note",
        "warning:close",
        "warning:reopen",
        "warning:undo",
    }
)
_MENDS: frozenset[Action] = frozenset({"deadletters:read", "deadletters:mend"})

MAY: Mapping[Role, frozenset[Action]] = {
    "duty_officer": _READS | _ACTS,
    "approver": _READS | _ACTS | _MENDS,
    # Who runs the machine decides about no warning and reads no text.
    "administrator": _READS | _MENDS | {"config:reload", "accounts:manage"},
}
"""What each role may do; where, says the area."""

ROLE_TEXTS: Mapping[Role, tuple[str, str]] = {
    "duty_officer": ("值班员", "Duty officer"),
    "approver": ("审批员", "Approver"),
    "administrator": ("管理员", "Administrator"),
}

WHOLE_SITE: frozenset[Action] = _MENDS | {"config:reload", "accounts:manage"}
"""Actions that no part of the site can be given: they need an area that is all of it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in account. `places`: codes of its area; None where that is the whole site."""

    name: str
    role: Role
    office: str
    post: str
    area: str
    places: Scope

    def may(self, action: Action) -> bool:
        """Whether the role has this permission, and the area is large enough for it."""
        return action in MAY[self.role] and (action not in WHOLE_SITE or self.places is None)


def authorize(principal: Principal, action: Action, area: int | None = None) -> Scope:
    """The scope in which `principal` may do this; with `area`, whether that place is within it.

    Raises Refusal: `no_permission` for the action, `not_found` for a place outside the area, so that nobody learns
    what is there.
    """
    if not principal.may(action):
        raise Refusal("no_permission", f"{principal.role} has no permission {action}")
    if area is not None and principal.places is not None and area not in principal.places:
        raise Refusal("not_found")
    return principal.places
