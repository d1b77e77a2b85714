"""What a list is asked for, from the query of its address: names become codes and levels, unknown ones are refused."""

from typing import Annotated, Any, get_args

from fastapi import Query

from alerts.queue import Filters, Scope
from console.api.problems import Refusal
from console.api.room import Room, subtree_codes
from console.api.shapes import LevelName, WarningState
from pipeline.ids import code64

_LEVELS = {name: number for number, name in enumerate(get_args(LevelName), start=1)}
_STATES = frozenset(get_args(WarningState))
KINDS = frozenset({"matter", "surge", "sensor", "source"})
_MOST = 64
Words = Annotated[str, Query(max_length=4000)]


class Asked:
    """The filters of a list; several values of one are separated by commas."""

    def __init__(
        self,
        level: Words = "",
        kind: Words = "",
        office: Words = "",
        place: Words = "",
        category: Words = "",
        state: Words = "",
        awaiting: Annotated[bool, Query()] = False,
        q: Annotated[str, Query(max_length=200)] = "",
        closed: Annotated[bool, Query()] = False,
    ) -> None:
        """As FastAPI reads them."""
        self.level, self.kind, self.state = _split(level), _split(kind), _split(state)
        self.office, self.place, self.category = _split(office), _split(place), _split(category)
        self.q, self.is_awaiting = q.strip(), awaiting
        # Who asks for a shut state wants to see shut ones.
        self.with_shut = closed or bool(self.state & {"closed", "ended"})
        for asked, known, what in (
            (self.level, _LEVELS.keys(), "level"),
            (self.kind, KINDS, "kind"),
            (self.state, _STATES, "state"),
        ):
            if asked - known:
                raise Refusal("unknown_filter", f"{what} is one of {', '.join(sorted(known))}")

    def filters(self, room: Room, scope: Scope) -> Filters:
        """As the store understands them."""
        return Filters(
            ids=room.search(scope, self.q) if self.q else None,
            levels=frozenset(_LEVELS[name] for name in self.level),
            kinds=self.kind,
            states=self.state,
            offices=frozenset(map(code64, self.office)),
            categories=frozenset(map(code64, self.category)),
            places=subtree_codes(room, self.place) if self.place else None,
            with_shut=self.with_shut,
            is_awaiting=self.is_awaiting,
        )


def _split(words: str) -> frozenset[Any]:
    found = frozenset(word for word in words.split(",") if word)
    if len(found) > _MOST:
        raise Refusal("unknown_filter", f"at most {_MOST} values of one filter")
    return found
