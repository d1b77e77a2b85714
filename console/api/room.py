"""The duty room: what all routes share, and the queries they ask, each within the scope it is given."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.names import Names, rfc3339
from alerts.queue import Filters, Order, Queue, Scope
from config.territory import ROOT
from console.api.access import Principal
from console.api.accounts import Accounts, Signed
from console.api.ports import Directory, LiveSite
from console.api.rows import Rows, cursor_text
from console.api.tree import Tree
from pipeline.errors import ForewarnError
from pipeline.ids import code64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STORIES = 500
_SCOPES = 64
_MINUTE = len("2024-03-04T01:00")
FOUND = 400
"""Warnings that a search finds at most, by number and by id."""
GROUPS = 200
"""Groups that one answer lists."""


class View:
    """One configuration as the console sees it; made anew when the site has another."""

    def __init__(self, site: LiveSite, directory: Directory) -> None:
        self.settings, self.rules = site.settings, site.rules
        named: dict[str, Any] = {
            part: [item.model_dump(include={"id", "name_zh", "name_en"}) for item in getattr(self.settings, part)]
            for part in ("places", "offices", "categories")
        }
        named["attributes"] = {"names": [item.model_dump() for item in self.settings.attributes.names]}
        self.names = Names(directory, named)
        self.rows = Rows(self.names, self.rules)
        self.tree = Tree(self.settings, directory)
        self.offices = {office.id for office in self.settings.offices}

    def named(self, id: str) -> dict[str, str]:
        """A place, office or category by its id; the whole site has a name of its own."""
        if id == ROOT:
            site = self.settings.site
            return {"id": ROOT, "zh": site.name_zh or "全域", "en": site.name_en or "Whole site"}
        return {"id": id, "zh": self.names.zh_of(id), "en": self.names.en_of(id)}


class Room:
    """A site, its accounts, and the questions the console asks of both."""

    def __init__(self, site: LiveSite, accounts: Accounts) -> None:
        self.site, self.accounts = site, accounts
        self._groups: dict[tuple[Scope, Filters], dict[str, Any]] = {}
        self._counts: dict[Scope, tuple[str, dict[str, int]]] = {}
        self.directory = site.directory()
        self.queue = Queue(site.store_url)
        self._view = View(site, self.directory)
        self._entries: dict[tuple[str, int], list[dict[str, Any]]] = {}

    def close(self) -> None:
        """Let go of the files; site and accounts are their owners' to close."""
        self.queue.close()
        self.directory.close()

    @property
    def view(self) -> View:
        """The configuration now in force."""
        if self._view.settings is not self.site.settings or self._view.rules is not self.site.rules:
            self._view = View(self.site, self.directory)
            self._groups.clear()
        return self._view

    def principal(self, signed: Signed) -> Principal:
        """Who a session is, with the places of its area."""
        user = signed.user
        return Principal(user.name, user.role, user.office, user.post, user.area, self.view.tree.subtree(user.area))

    # queries: every one takes the scope --------------------------------------------------------------------------

    def page(
        self, scope: Scope, filters: Filters, order: Order, limit: int, after: Sequence[Any] | None
    ) -> dict[str, Any]:
        """A page of the queue as it is sent; `after` as in `next`, decoded."""
        # Before the rows are read: what happens in between comes once more by the stream, and is not lost.
        cursor, now = cursor_text(self.site.cursor()), self.site.now()
        page = self.queue.page(scope, filters, order, limit, after)
        return {
            "cursor": cursor,
            "at": rfc3339(now),
            "total": self.queue.total(scope, filters),
            "counts": self.counts(scope, cursor),
            "items": self.rows(scope, page.rows),
            "next": page.after,
        }

    def groups(self, scope: Scope, filters: Filters) -> dict[str, Any]:
        """All groups as they are sent; within a minute in which nothing changed they are made once."""
        cursor, now = cursor_text(self.site.cursor()), self.site.now()
        kept = self._groups.get((scope, filters))
        if kept is not None and kept["cursor"] == cursor and kept["at"][:_MINUTE] == rfc3339(now)[:_MINUTE]:
            return kept
        groups, total = self.queue.groups(scope, filters, GROUPS)
        rows = self.rows(scope, [group["worst"] for group in groups])
        items = [
            {
                "place": row["place"],
                "category": row["category"],
                "kind": row["kind"],
                "counts": group["counts"],
                "total": group["total"],
                "worst": row,
            }
            for group, row in zip(groups, rows, strict=True)
        ]
        counts = self.counts(scope, cursor)
        page = {"cursor": cursor, "at": rfc3339(now), "total": total, "counts": counts, "items": items}
        if len(self._groups) >= _SCOPES:
            self._groups.clear()
        self._groups[scope, filters] = page
        return page

    def row(self, scope: Scope, warning: str) -> dict[str, Any] | None:
        """One row as it is sent."""
        found = self.queue.row(scope, warning)
        return None if found is None else self.rows(scope, [found])[0]

    def rows(
        self, scope: Scope, rows: Sequence[Mapping[str, Any]], fresh: Mapping[tuple[str, int], Any] | None = None
    ) -> list[dict[str, Any]]:
        """Rows of the store as they are sent; `fresh`: transitions that are at hand, by warning and number."""
        rendered = self.rendered(scope, rows, fresh or {})
        now, linked = self.site.now(), self.linked(scope, rows)
        put = self.view.rows.finished
        return [put(row, now, linked[row["_place"], row["_category"]]) for row in rendered]

    def rendered(
        self, scope: Scope, rows: Sequence[Mapping[str, Any]], fresh: Mapping[tuple[str, int], Any]
    ) -> list[dict[str, Any]]:
        """The lasting parts of rows, from what is kept or from their newest transitions."""
        view = self.view.rows
        keys = [(row["id"], row["number"]) for row in rows]
        missing = [key for key in keys if view.kept(*key) is None and key not in fresh]
        read = self.queue.newest(scope, missing) if missing else {}
        out = []
        for key, row in zip(keys, rows, strict=True):
            kept = view.kept(*key)
            if kept is None:
                transition = fresh.get(key) or read[key[0]]
                kept = view.render(transition, row["since"], self._taker(scope, transition))
            out.append(kept)
        return out

    def linked(self, scope: Scope, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], int]:
        """How many other open warnings each row's place and category have."""
        alike = self.queue.alike(scope, {(row["place"], row["category"]) for row in rows}) if rows else {}
        open_ones = {(row["place"], row["category"]) for row in rows if not row["shut"]}
        return {
            pair: max(0, alike.get(pair, 0) - (pair in open_ones)) if pair[0] else 0
            for pair in {(row["place"], row["category"]) for row in rows}
        }

    def entries(self, scope: Scope, warning: str, number: int) -> list[dict[str, Any]]:
        """Entries that the changes up to `number` rest on, with `_at` in µs; none where the log no longer has them.

        Call it for a warning that was found within the scope.
        """
        key = (warning, number)
        kept = self._entries.get(key)
        if kept is None:
            try:
                story = self.site.explain(warning)
            except ForewarnError:
                return []
            kept = [
                each | {"_at": _us(each["at"])} for each in story["entries"] if each["state"] == "kept" and each["at"]
            ]
            if len(self._entries) >= _STORIES:
                self._entries.clear()
            self._entries[key] = kept
        return kept

    def search(self, scope: Scope, text: str) -> frozenset[str]:
        """Ids of the warnings whose matter has this number (or has it within), or whose own id begins so."""
        sources = [source.name for source in self.site.settings.sources]
        keys = self.directory.search(text, sources)
        is_hex = len(text) >= 4 and all(letter in "0123456789abcdef" for letter in text.lower())
        return self.queue.found(scope, [key.hex() for key in keys], text.lower() if is_hex else "", FOUND)

    def counts(self, scope: Scope, cursor: str) -> dict[str, int]:
        """Open warnings by level, counted once for each cursor."""
        kept = self._counts.get(scope)
        if kept is None or kept[0] != cursor:
            if len(self._counts) >= _SCOPES:
                self._counts.clear()
            kept = self._counts[scope] = (cursor, self.queue.counts(scope))
        return kept[1]

    def office_code(self, id: str) -> int | None:
        """Code of an office that exists; None for another."""
        view = self.view
        if view.offices:
            return code64(id) if id in view.offices else None
        return self.directory.code("office", id)

    def _taker(self, scope: Scope, transition: Mapping[str, Any]) -> str | None:
        if not transition.get("next_update_by"):
            return None
        if transition["cause"] == "acknowledged":
            return str(transition["principal"])
        return self.queue.taker(scope, transition["warning"])


def _us(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def subtree_codes(room: Room, places: Collection[str]) -> frozenset[int]:
    """Codes of some places and all below them."""
    out: frozenset[int] = frozenset()
    for place in places:
        below = room.view.tree.subtree(place)
        out |= frozenset({code64(place)}) if below is None else below
    return out
