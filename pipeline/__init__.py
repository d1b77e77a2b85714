"""Signals become assessments: the pure fold over the log. Imports numpy and our own code only."""
