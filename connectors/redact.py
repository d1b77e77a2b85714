"""Redaction: personal identifiers leave a text before it is stored or turned into features."""

import re
from collections import Counter
from collections.abc import Sequence

_MOBILE = re.compile(r"[1](?<![0-9]1)[3-9][0-9]{9}(?![0-9])")


class Redactor:
    """Takes identifiers out of texts; thin for now."""

    def __init__(self, known_number_patterns: Sequence[str] = ()) -> None:
        self._known = [re.compile(pattern) for pattern in known_number_patterns]

    def redact(self, text: str) -> str:
        """`text` without identifiers."""
        return self.redact_counted(text)[0]

    def redact_counted(self, text: str) -> tuple[str, Counter[str]]:
        """`text` without identifiers, and how many of each kind were taken out."""
        text, count = _MOBILE.subn("[电话]", text)
        return text, Counter({"phone": count} if count else {})
