"""XML from outside: no entities, no network, no surprises."""

from __future__ import annotations

from lxml import etree

from gateway.domain.department import DepartmentUnintelligible


def parse(body: bytes) -> etree._Element:
    """The document element.  Encoding by the XML declaration.  Raises ``DepartmentUnintelligible``."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DepartmentUnintelligible("answer is not XML") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise DepartmentUnintelligible("answer carries a DTD")
    return root


def text(node: etree._Element, path: str) -> str:
    """Text at ``path`` below ``node`` (lxml path with ``{*}`` for any namespace), '' when absent."""
    found = node.find(path)
    return (found.text or "").strip() if found is not None else ""
