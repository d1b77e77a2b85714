"""How events are written to standard error: a line each, and traces without the values that stood in them."""

import logging
import sys

import structlog


def write_events_plainly() -> None:
    """Set structlog up for a process that stays; called once, where a command begins.

    Its own default prints every local variable of a trace where it can: passwords, texts, a whole partition.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
