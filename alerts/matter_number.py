"""The number of a matter as people search by it: without its source, its case and its separators."""

import unicodedata


def number_of(name: str) -> str:
    """Of a readable id "source/number".

    >>> number_of("town/HT-2024 000457")
    'ht2024000457'
    """
    return plain_number(name.partition("/")[2] or name)


def plain_number(text: str) -> str:
    """Letters and digits alone; what has none stays as it is, without the character zero, which no database takes."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\0", "")
    return "".join(letter for letter in folded if letter.isalnum()) or folded
