"""Assessments become calls to act: levels, warnings and their life, the store, delivery."""
