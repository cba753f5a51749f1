"""The form as data: fields, papers, promises, words to show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.policy.model.base import Code, Condition, Named, RowId, Strict

FileType = Literal["pdf", "jpeg", "png", "heic", "ofd"]
"""Kinds of file, as ``gateway.domain.materials.KINDS`` names them."""


class FormGroup(Named):
    """A group of fields on the form."""

    code: Code
    source: RowId


class FormField(Strict):
    """One field.  ``required``: always, never, or under a condition."""

    path: str
    """Form path: a typed field (``deceased.name``), or any other, which travels in ``answers``."""
    label: str
    label_en: str
    group: Code
    """Code of its form group."""
    type: Literal[
        "TEXT",
        "ID_NUMBER",
        "PHONE",
        "DATE",
        "DATE_TIME",
        "AREA",
        "OPTION",
        "BOOLEAN",
        "NUMBER",
        "ACCOUNT_NUMBER",
        "POSITION",
    ]
    """What may be entered."""
    required: bool = False
    """Required always; the two conditions below replace it."""
    required_when: Condition | None = None
    """Required when this is true; null: see ``required``."""
    required_unless: Condition | None = None
    """Required unless this is true; null: see ``required``."""
    options: list[Code] | None = None
    """Codes that may be chosen, for type OPTION; null: the codes of the schema."""
    option_names: dict[Code, str] = {}
    """Words for options that stand in no catalogue."""
    hint: str | None = None
    """Words beside the field; null: none."""
    shown_when: Condition | None = None
    """Null: always shown."""
    source: RowId | None = None
    """Row that names the field; null: convention of this deployment, needed to route the items."""


class Situation(Named):
    """A fact about the deceased that decides which items apply (情形)."""

    code: Code
    source: RowId


class SharedAs(Strict):
    """The certificate that a paper is: handed in once, then seen by every department whose evidence it is."""

    certificate: Code
    """Kind of certificate, a code of the catalogue."""
    number: str
    """Form path of its number."""
    issued_on: str
    """Form path of its date."""
    issuer: str | None = None
    """Form path of who issued it."""


class CertificateOnForm(SharedAs):
    """A certificate the form gives by its number, instead of as a paper (WZ-404)."""

    source: RowId
    when: Condition | None = None
    """Null: always, as soon as the number is there."""


class Material(Named):
    """A paper the family hands in."""

    code: Code
    source: RowId
    required_when: Condition | None = None
    """Asked for when this is true; null: always."""
    upload: bool = False
    """Naming the paper is not enough: its file must be there."""
    accepts: list[FileType] | None = None
    """Types of file that are taken; null: NOT STATED, whatever the deployment takes."""
    max_bytes: int | None = Field(None, gt=0)
    """Largest file, in bytes; null: NOT STATED, as large as the deployment takes."""
    shared_as: SharedAs | None = None
    """Null: it is only kept with the case."""


class Commitment(Named):
    """A promise the applicant makes (承诺); ``text`` null: the wording is not in the source, nobody is held to it."""

    code: Code
    source: RowId
    text: str | None


class Notice(Strict):
    """Words the form, or the guide, has to show."""

    code: Code
    text: str
    text_en: str
    source: RowId
    at: Code | None = None
    """Form group it belongs to; null: the whole form."""
    when: Condition | None = None
    """Shown unless this is false; null: always."""


class Tick(Strict):
    """The tick box of an item on the form, with the words the form uses."""

    label: str
    label_en: str
    source: RowId
