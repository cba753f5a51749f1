"""Enums of the rules: words of a jurisdiction's file."""

from __future__ import annotations

from enum import StrEnum

from schema.enums import published


@published("ItemKind")
class ItemKind(StrEnum):
    """事项类别."""

    CERT = "CERT"
    """出具证明."""
    DEREG = "DEREG"
    """注销登记."""
    STOP = "STOP"
    """停发待遇."""
    CLAIM = "CLAIM"
    """待遇申领, with a payout."""
    SETTLE = "SETTLE"
    """账户结算."""
    ENQ = "ENQ"
    """查询: information, never a payout."""
    SERVICE = "SERVICE"
    """服务."""


@published("ItemTrigger")
class Trigger(StrEnum):
    """启动方式."""

    AUTO = "AUTO"
    """自动推送, without a choice."""
    TICK = "TICK"
    """申请人勾选."""
    EVENT = "EVENT"
    """由事件触发."""


@published("FormFieldType")
class FieldType(StrEnum):
    """表单项类型."""

    TEXT = "TEXT"
    """文本."""
    ID_NUMBER = "ID_NUMBER"
    """证件号码."""
    PHONE = "PHONE"
    """电话."""
    DATE = "DATE"
    """日期."""
    DATE_TIME = "DATE_TIME"
    """时间."""
    AREA = "AREA"
    """行政区划."""
    OPTION = "OPTION"
    """选项."""
    BOOLEAN = "BOOLEAN"
    """是否: in typed fields a Boolean, in `answers` "true" or "false"."""
    NUMBER = "NUMBER"
    """数字: digits."""
    ACCOUNT_NUMBER = "ACCOUNT_NUMBER"
    """账号."""
    POSITION = "POSITION"
    """定位: latitude,longitude in degrees (WGS 84)."""


@published("AreaLevel")
class AreaLevel(StrEnum):
    """行政层级."""

    PROVINCE = "PROVINCE"
    """省级."""
    PREFECTURE = "PREFECTURE"
    """地市级."""
    COUNTY = "COUNTY"
    """县级（县、区、旗）."""
    TOWNSHIP = "TOWNSHIP"
    """乡级（乡镇、街道、苏木）."""
    VILLAGE = "VILLAGE"
    """村级（村、社区）."""


@published("ItemHandler")
class ItemHandler(StrEnum):
    """办理方式: who does an item, and how it is told."""

    SYSTEM = "SYSTEM"
    """推送至部门业务系统办理."""
    PLATFORM = "PLATFORM"
    """由人员在平台内办理."""
    SHARED = "SHARED"
    """不推送; done when its certificate reaches the platform as shared data."""
    PULL = "PULL"
    """由部门调取共享信息自行办理; never chosen, never pushed (YY-514)."""


@published("PayeeRule")
class PayeeRule(StrEnum):
    """收款规则: whose account is paid (C-14)."""

    FAMILY_DESIGNATED = "FAMILY_DESIGNATED"
    """家属指定账户."""
    APPLICANT = "APPLICANT"
    """申请人本人账户."""
    DECEASED_OR_HEIR = "DECEASED_OR_HEIR"
    """逝者本人账户, or the applicant's as heir with a reason."""
    NAMED_PAYEE = "NAMED_PAYEE"
    """登记的领取人账户."""
    BY_INSTITUTION = "BY_INSTITUTION"
    """由机构直接支付给继承人."""


@published("WhenNot")
class WhenNot(StrEnum):
    """不符合条件时: what becomes of an item whose condition does not hold."""

    NOT_APPLICABLE = "NOT_APPLICABLE"
    """不适用."""
    ORIGINAL_PROCEDURE = "ORIGINAL_PROCEDURE"
    """按照原流程办理, outside the platform (WZ-104)."""
    REFUSED = "REFUSED"
    """不予办理, before anything is sent (YN-205)."""


@published("WhenUndeclared")
class WhenUndeclared(StrEnum):
    """未申报时: what becomes of an item when the fact was not declared."""

    VERIFY = "VERIFY"
    """由部门核实; it is pushed."""
    OMIT = "OMIT"
    """不列入."""


@published("SharedUse")
class SharedUse(StrEnum):
    """共享信息用途."""

    PREFILL = "PREFILL"
    """预填表单."""
    VERIFY = "VERIFY"
    """核验身份."""
    MATERIALS = "MATERIALS"
    """免提交材料."""
    CERTIFICATES = "CERTIFICATES"
    """获取证照."""


@published("WithdrawalItems")
class WithdrawalItems(StrEnum):
    """可撤回的事项."""

    CHOSEN = "CHOSEN"
    """勾选的事项."""
    ALL = "ALL"
    """全部事项."""


@published("WithdrawalUntil")
class WithdrawalUntil(StrEnum):
    """撤回的最后时点."""

    ACCEPTED = "ACCEPTED"
    """部门受理之前."""
    FINAL = "FINAL"
    """办结之前."""


@published("CaseService")
class CaseService(StrEnum):
    """上级平台对办件的服务 (YN-1001)."""

    CASE_CODING = "CASE_CODING"
    """办件赋码."""
    RESULT_RETURN = "RESULT_RETURN"
    """结果回传."""
