"""Printable documents: what a window clerk hands over the counter, as self-contained HTML for A4.

Pure functions of policy and case.  Whoever calls them has asked ``access.sight`` before.
"""

from gateway.documents.form import blank_form, filled_form
from gateway.documents.guide import guide
from gateway.documents.page import STYLE
from gateway.documents.summary import TITLE as SUMMARY_TITLE
from gateway.documents.summary import summary

__all__ = ["STYLE", "SUMMARY_TITLE", "blank_form", "filled_form", "guide", "summary"]
