"""Personal names in English text: behind a title, an introduction, a role with a colon, or under a greeting."""

import re
from collections.abc import Iterator

from connectors.redact_ids import Span

_WORD = r"[A-Z][a-zà-öø-ÿ]+(?:['’\-][A-Z]?[a-zà-öø-ÿ]+)*"
_PART = rf"(?:{_WORD}|[ODLM][c'’]?[A-Z][a-zà-öø-ÿ]+|Ma?c[A-Z][a-z]+|[A-Z]\.?(?![A-Za-z]))"
_LINK = r"(?:(?:de|del|della|van|von|der|den|da|di|dos|la|le|al|bin|ibn|el|st)\.?[ ]){0,2}"
_NAME = rf"{_PART}(?:[ ]{_LINK}{_PART}){{0,3}}"
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Madam|MR|MRS|MS|DR)\b\.?[ ]{1,2}"
    rf"({_LINK}{_NAME}|[A-Z]{{2,}}(?:[ ][A-Z]{{2,}})?)"
)
_OPENINGS = (
    "my name is|my name's|name is|name's|names are|i am called|called by|caller|caller is|caller named|signed|"
    "sincerely|regards|yours|"
    "spoke to|spoke with|speaking to|speaking with|ask for|talk to|reported by|submitted by|requested by|"
    "filed by|contact|contact is|"
    "contact person|contact person is|attn|c/o|name|full name|first name|last name|surname|resident|tenant|"
    "owner|landlord|landlady|"
    "neighbor|neighbour|occupant|applicant|complainant|customer|citizen|reporter|requester|witness|victim|"
    "patient|driver|manager|"
    "supervisor|husband|wife|son|daughter|mother|father|brother|sister"
)
_INTRODUCED = re.compile(
    rf"(?:\b(?i:{_OPENINGS})|联系人|姓名|名字|我叫|反映人|投诉人|业主)"
    rf"(?:[ ]?[:：,，\-–][ \n]{{0,2}}|[ \n]{{1,2}}|(?<=[\u4e00-\u9fff]))(?:is[ ]|named[ ]|called[ ])?({_NAME})"
)
_SELF = re.compile(
    rf"\b(?:I am|I'm|I’m|This is|this is|im)[ ]({_PART}[ ]{_LINK}{_PART})(?=[ ]?(?:,|\.|;|$|\(|and|from|of|at|"
    rf"calling|here|\ue001))"
)
_PLAIN = re.compile(
    r"\b(?i:my name is|my name's|name is)[ ]([a-z]{2,15}(?:[ ][a-z]{2,15})?)(?=[,.;!]|$|[ ](?:and|i|from|my|"
    r"at|living|phone))"
)
_THANKS = re.compile(
    rf"(?i:thanks|thank you|regards|sincerely|cheers|"
    rf"best)[,.!]?[ \n]{{0,2}}[-–]?[ ]?({_PART}(?:[ ]{_PART}){{0,2}})\s*\Z"
)
_BESIDE_PHONE = re.compile(
    rf"({_PART}[ ]{_LINK}{_PART})(?:[ ]?[,:(\-–][ ]?|[ ])(?:(?i:tel|phone|cell|mobile|at|on)\.?:?[ ]?)?\ue001"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_NAMES = _words(
    "the a an is was has have had and or of in on at to for from this that there here it he she they we you "
    "my our your his her not no street st avenue ave road rd drive dr lane square park place boulevard blvd "
    "court building city department office police fire water gas bus parking traffic trash light lights "
    "sidewalk tree snow pothole noise sewer center centre school hospital station library unit apartment "
    "services service public works north south east west main please help called reports reported states "
    "stated said says wants requests requested complains needs would could cannot can will am pm monday "
    "tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december boston english chinese new request complaint case number phone "
    "email address date time unknown anonymous none information info inspector inspection code enforcement "
    "housing health sanitation management company inc llc corp property very so also still just being "
    "getting living reporting writing calling concerned worried angry upset tired unhappy happy now about"
)


_WAYS = _words(
    "street st avenue ave road rd drive dr lane square park place boulevard blvd court school hospital station library"
)


_TITLE_WORDS = _words("mr mrs ms miss mx dr prof professor sir madam i'm i’m im thanks thank cheers best") | {
    "i am",
    "this is",
}


def _anchors() -> re.Pattern[str]:
    """One character out of a set first, then the words that begin with it: most texts fail at the first test."""
    words = {word.split(" ")[0] for word in _OPENINGS.split("|")}
    words |= _TITLE_WORDS
    rests: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        rests.setdefault(word[0], []).append(re.escape(word[1:]))
    branches = (f"(?<=[{first}{first.upper()}])(?i:{'|'.join(found)})" for first, found in rests.items())
    letters = "".join(rests) + "".join(rests).upper()
    return re.compile(
        rf"[{letters}](?<![A-Za-z].)(?:{'|'.join(branches)})(?![a-z])|[联姓名我反投业](?:系人|名|字|叫|映人|"
        rf"诉人|主)[：: ]?[A-Z]"
    )


_ANCHORS = _anchors()
_CAPITAL = re.compile("[A-Z](?:[a-z]|[A-Z])|name is|name's")


def may_name_english(text: str) -> bool:
    """Whether anything in `text` could introduce an English name; cheap."""
    return _CAPITAL.search(text) is not None and (_ANCHORS.search(text) is not None or "\ue001" in text)


def english_names(text: str) -> Iterator[Span]:
    """Spans of names, the words around them left outside."""
    for pattern in (_TITLED, _INTRODUCED, _SELF, _PLAIN, _THANKS, _BESIDE_PHONE):
        for match in pattern.finditer(text):
            start = match.start(1)
            words = match.group(1).split(" ")
            # a name ends before the first everyday word; "John Smith Street" is a street and stays whole
            kept = 0
            for word in words:
                if word.strip(".,'’").lower() in _NOT_NAMES:
                    break
                kept += 1
            if kept < len(words) and words[kept].strip(".").lower() in _WAYS:
                continue
            if kept:
                yield start, start + len(" ".join(words[:kept])), "name"
