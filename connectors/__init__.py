"""Signals come in: contract, redaction, validation, framing."""
