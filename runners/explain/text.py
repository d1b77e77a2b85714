"""An explanation as a report to read: who and what, then entries and changes in the order in which they came."""

from collections.abc import Iterator, Sequence

from alerts.sentences import CAPTION_EN, CAPTION_ZH, NOT_FOR_RANKING_EN, NOT_FOR_RANKING_ZH
from alerts.sentences_en import EN
from alerts.sentences_zh import ZH
from runners.explain.explanation import Act, Change, EntryState, Explanation, Known, ListedEntry, Weight
from runners.explain.frames_by_key import FRAMES
from runners.explain.words import CAUSES, STATES, STEPS, Speech
from runners.text_lines import columns, padded, plain, wrapped

TOP = 8
"""Reasons of a score that have a line of their own; the rest stand together."""
EXCERPT = 160
"""Characters of a text that are printed."""
_UNIT = 65_536
_LEAST_WIDTH = 40
_DEEP = " " * 9


def as_text(explanation: Explanation, width: int = 100) -> str:
    """The report in the explanation's language, wrapped at `width` columns (a Chinese character takes two)."""
    return _Report(explanation, max(_LEAST_WIDTH, width)).text()


class _Report:
    def __init__(self, explanation: Explanation, width: int) -> None:
        self.story, self.width = explanation, width
        self.speech = Speech(explanation.language)

    def text(self) -> str:
        """All lines."""
        lines = [*self._head(), "", self.speech.heading("timeline"), *self._timeline()]
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        story, last, speech = self.story, self.story.last, self.speech
        yield f"{speech.heading('title')}  {story.warning}"
        yield speech.say((CAPTION_ZH, CAPTION_EN))
        yield speech.say((NOT_FOR_RANKING_ZH, NOT_FOR_RANKING_EN))
        yield ""
        states = STATES.get(last.state, (last.state, last.state))
        facts = (
            ("matter" if story.kind == "matter" else "subject", story.subject + speech.aside(story.source)),
            ("category", story.category or "-"),
            ("place", story.place or speech.heading("whole_site")),
            ("office", last.office or speech.heading("no_office")),
            ("registered", _minute(story.registered) or "-"),
            ("due", _minute(story.due) or speech.heading("no_due")),
            ("level", speech.level(last.after) + self._proposed(last)),
            ("state", speech.say(states)),
        )
        column = max(columns(speech.heading(key)) for key, _ in facts) + 2
        for key, fact in facts:
            yield from self._wrapped(fact, padded(speech.heading(key), column), " " * column)

    def _proposed(self, change: Change) -> str:
        """What is proposed beyond what is visible, and who must still say yes."""
        if change.proposed <= change.after:
            return ""
        parts = [f"{self.speech.heading('proposed')} {self.speech.level(change.proposed)}"]
        if change.awaiting:
            parts.append(self.speech.heading("awaiting", n=change.awaiting))
        return self.speech.aside(self.speech.comma.join(parts))

    # the timeline

    def _timeline(self) -> Iterator[str]:
        """Each change after the entries that it rests on or that came before it."""
        told: set[str] = set()
        for change in self.story.changes:
            before = len(told)
            fresh = 0
            for entry in self.story.entries:
                rests_on_it = entry.address in change.rests_on
                if entry.address not in told and (rests_on_it or entry.arrived_us < change.at_us):
                    if len(told) == before:
                        yield ""
                    told.add(entry.address)
                    fresh += rests_on_it
                    yield from self._entry(entry)
            yield ""
            yield from self._change(change, fresh)

    def _entry(self, entry: ListedEntry) -> Iterator[str]:
        speech = self.speech
        if entry.state is not EntryState.KEPT:
            yield from self._wrapped(f"{entry.address}  {speech.heading(entry.state.value, n=FRAMES)}", "  - ", "    ")
            return
        words = [_minute(entry.now), speech.say(STEPS.get(entry.step, (entry.step, entry.step)))]
        if entry.office:
            words.append(f"{speech.heading('office')} {entry.office}")
        if entry.at != entry.now:
            words.append(speech.heading("happened", at=_minute(entry.at)))
        yield from self._wrapped("  ".join([*words, entry.address]), "  - ", "    ")
        if entry.text:
            cut = entry.text[:EXCERPT] + ("…" if len(entry.text) > EXCERPT else "")
            yield from self._wrapped(f"“{cut}”", "    ", "    ")

    def _change(self, change: Change, fresh: int) -> Iterator[str]:
        speech = self.speech
        cause = speech.say(CAUSES.get(change.cause, (change.cause, change.cause)))
        moved = speech.level(change.after)
        if change.before != change.after:
            moved = f"{speech.level(change.before)} -> {moved}"
        told = f"{_minute(change.at)}  {cause}{speech.colon}{moved}{self._proposed(change)}"
        yield from self._wrapped(told, f"{change.number}. ", "   ")
        for sentence in speech.each(change.sentence):
            yield from self._wrapped(sentence, "   ", "   ")
        yield f"   {speech.heading('known')}"
        for known in change.known:
            yield from self._known(known)
        cutoff = change.cutoff
        near = speech.heading(cutoff.direction, cutoff.level, value=_decimal(cutoff.value))
        away = speech.heading("distance", score=_decimal(cutoff.score), distance=_decimal(abs(cutoff.distance)))
        yield from self._fact("cutoff", near + speech.semicolon + away)
        yield from self._fact("versions", self._versions(change))
        if self.story.kind == "matter":
            counted = "entries_new" if fresh and change.number > 1 else "entries"
            yield from self._fact("evidence", speech.heading(counted, n=len(change.rests_on), new=fresh))
        else:
            yield from self._fact("evidence", speech.semicolon.join(change.rests_on) or "-")
        if change.by is not None:
            yield from self._fact("by", self._act(change.by))

    def _versions(self, change: Change) -> str:
        speech = self.speech
        model = speech.heading("model", n=change.model)
        if not change.model:
            model += speech.aside(speech.heading("untrained"))
        elif change.model_sha256:
            gone = "" if change.is_model_kept else speech.comma + speech.heading("model_gone")
            model += speech.aside(f"sha256 {change.model_sha256[:16]}{gone}")
        return speech.heading("config", n=change.config) + speech.comma + model

    def _act(self, act: Act) -> str:
        outcome = (ZH.outcomes.get(act.outcome, act.outcome), EN.outcomes.get(act.outcome, act.outcome))
        said = (
            ("reason", act.reason),
            ("remark", act.remark),
            ("outcome", self.speech.say(outcome) if act.outcome else ""),
            ("next_update_by", _minute(act.next_update_by)),
        )
        told = [f"{self.speech.heading(key)}{self.speech.colon}{text}" for key, text in said if text]
        return self.speech.semicolon.join([act.principal + self.speech.aside(act.role), *told])

    # what was known

    def _known(self, known: Known) -> Iterator[str]:
        first = f"     {'*' if known.is_governing else '-'} "
        if known.kind == "risk":
            yield from self._wrapped(self._risk(known), first, "       ")
            if known.weights:
                yield from self._weights(known.weights)
            elif known.could_raise:
                key = "no_weights" if not known.weighed_at else "same_score" if known.is_same_score else "later_score"
                yield from self._wrapped(self.speech.heading(key, n=known.weighed_at), _DEEP, _DEEP)
            return
        speech = self.speech
        asides = [
            speech.heading("demands", known.demands) if known.demands else "",
            speech.heading("past_budget") if known.is_past_budget else "",
        ]
        tail = speech.aside(speech.comma.join(part for part in asides if part))
        yield from self._wrapped(
            speech.heading("rule") + speech.colon + speech.say(known.said) + tail, first, "       "
        )

    def _risk(self, known: Known) -> str:
        speech = self.speech
        span = speech.say((ZH.span(known.horizon), EN.span(known.horizon)))
        parts = [
            speech.say((ZH.percent(known.probability), EN.percent(known.probability))),
            f"{speech.heading('horizon')} {span}" if known.horizon else speech.heading("window_over"),
            f"{speech.heading('score')} {rounded([known.raw])[0] / 1000:+.3f}",
        ]
        if not known.could_raise:
            parts.append(speech.heading("too_low"))
        return speech.say(known.target_name) + speech.colon + speech.comma.join(parts)

    def _weights(self, weights: Sequence[Weight]) -> Iterator[str]:
        """Base, the heaviest, the others together and the sum; what is printed adds up to what is printed."""
        speech = self.speech
        reasons = [each for each in weights if each.feature != "base"]
        base = sum(each.weight for each in weights if each.feature == "base")
        top, rest = reasons[:TOP], reasons[TOP:]
        rows = [(base, 0, speech.heading("base"))]
        rows += [(each.weight, abs(each.weight), speech.feature(each)) for each in top]
        if rest:
            others = speech.heading("others", n=len(rest))
            rows.append((sum(each.weight for each in rest), sum(abs(each.weight) for each in rest), others))
        whole = sum(moved for _, moved, _ in rows)
        printed = rounded([weight for weight, _, _ in rows])
        for thousandths, (_, moved, label) in zip(printed, rows, strict=True):
            share = f"{round(100 * moved / whole)} %" if moved else ""
            yield from self._wrapped(label, f"{_DEEP}{thousandths / 1000:+8.3f} {share:>5}  ", _DEEP + " " * 16)
        yield f"{_DEEP}{sum(printed) / 1000:+8.3f}        {speech.heading('sum')}"

    # lines

    def _fact(self, key: str, fact: str) -> Iterator[str]:
        return self._wrapped(self.speech.heading(key) + self.speech.colon + fact, "   ", "     ")

    def _wrapped(self, text: str, first: str, following: str) -> Iterator[str]:
        return wrapped(plain(text), self.width, first, following)


def rounded(weights: Sequence[int]) -> list[int]:
    """Weights (1/65,536) in thousandths: each within one of the true value, and their sum that of the rounded sum.

    >>> rounded([21845, 21845, 21846])
    [333, 333, 334]
    """
    down = [weight * 1000 // _UNIT for weight in weights]
    missing = (sum(weights) * 1000 + _UNIT // 2) // _UNIT - sum(down)
    nearest = sorted(range(len(weights)), key=lambda place: -(weights[place] * 1000 % _UNIT))
    for place in nearest[:missing]:
        down[place] += 1
    return down


def _minute(local: str) -> str:
    """2016-02-29T17:27:00+08:00 as 2016-02-29 17:27 +08:00."""
    return f"{local[:10]} {local[11:16]} {local[-6:]}" if local else ""


def _decimal(score: int) -> str:
    return f"{score / 10_000:.4f}"
