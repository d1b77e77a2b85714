"""Whose is it, and where? Missing places become the root, missing offices are found in the responsibility matrix."""

from pipeline.rules import FoldRules


def lead_office(rules: FoldRules, place: int, category: int) -> int:
    """Office that leads a category at a place: the nearest cell up the tree, else the category's default, else 0."""
    if rules.leads:
        here: int | None = place
        for _ in range(16):
            if here is None:
                break
            office = rules.leads.get((here, category))
            if office is not None:
                return office
            here = rules.parents.get(here)
    return rules.offices.get(category, 0)
