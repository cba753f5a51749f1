"""What a policy file may say.  Everything a government decides stands in these shapes; nothing of it in code.

``null`` means NOT STATED: the source was searched and is silent.  It is never replaced by a guess.
"""

from gateway.policy.model.base import (
    AreaCode,
    Code,
    Condition,
    Named,
    RowId,
    Slug,
    Strict,
)
from gateway.policy.model.catalogue import (
    CalendarYear,
    Catalogue,
    CatalogueEntry,
)
from gateway.policy.model.form import (
    CertificateOnForm,
    Commitment,
    FormField,
    FormGroup,
    Material,
    Notice,
    SharedAs,
    Situation,
    Tick,
)
from gateway.policy.model.intake import (
    Area,
    Channel,
    Delivery,
    Flow,
    OpenedBy,
    RatingLevel,
    RatingRule,
    RefusedFlow,
    Rollout,
    Rule,
    SharedSource,
    Step,
    Via,
    Withdrawal,
)
from gateway.policy.model.item import (
    BusinessType,
    Clock,
    Deduction,
    ItemDefinition,
    PayoutRule,
    Referral,
    Requirement,
)
from gateway.policy.model.jurisdiction import (
    Document,
    Jurisdiction,
)

__all__ = [
    "Area",
    "AreaCode",
    "BusinessType",
    "CalendarYear",
    "Catalogue",
    "CatalogueEntry",
    "CertificateOnForm",
    "Channel",
    "Clock",
    "Code",
    "Commitment",
    "Condition",
    "Deduction",
    "Delivery",
    "Document",
    "Flow",
    "FormField",
    "FormGroup",
    "ItemDefinition",
    "Jurisdiction",
    "Material",
    "Named",
    "Notice",
    "OpenedBy",
    "PayoutRule",
    "RatingLevel",
    "RatingRule",
    "Referral",
    "RefusedFlow",
    "Requirement",
    "Rollout",
    "RowId",
    "Rule",
    "SharedAs",
    "SharedSource",
    "Situation",
    "Slug",
    "Step",
    "Strict",
    "Tick",
    "Via",
    "Withdrawal",
]
