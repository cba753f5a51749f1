"""Faults of our own in the log: where they happened, without a single value."""

from __future__ import annotations

import logging
import secrets


def places(error: BaseException) -> str:
    """``file:line:function`` of the last frames, outermost first."""
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return " > ".join(found[-12:])


def incident(log: logging.Logger, error: BaseException) -> str:
    """Tells what nobody expected; returns the number by which support finds it again."""
    number = secrets.token_hex(6)
    log.error("incident", extra={"incident": number, "kind": type(error).__name__, "frames": places(error)})
    return number
