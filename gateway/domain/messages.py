"""Every code a client can meet, with its Chinese and English text.  ``docs/errors.md`` is printed from this table.

A ``Reason`` is a code with the requirement rows it rests on and the facts that fill its text.  A ``Problem`` is a
reason tied to the field of an input.  Facts never carry a whole ID number, phone or account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.codes import Code

__all__ = ["TEXTS", "Code", "Problem", "Reason", "Refused", "refuse"]
_WHOLE = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
"""An ID number that somebody typed into the wrong box is not repeated."""

TEXTS: Mapping[Code, tuple[str, str]] = {
    Code.UNAUTHENTICATED: (
        "请先登录：{detail}。如需开通，请联系{contact}。",
        "Sign in first: {detail_en}. If you need access, turn to {contact_en}.",
    ),
    Code.FORBIDDEN: (
        "没有“{right}”的权限。如确有需要，请联系{contact}。",
        "The right “{right}” is missing. If you need it, turn to {contact_en}.",
    ),
    Code.IDENTITY_UNAVAILABLE: (
        "暂时无法核验身份：身份认证系统没有应答，请稍后再试。持续不能使用时，请联系{contact}。",
        "Who you are cannot be checked: the identity system does not answer. Try again; if it lasts, {contact_en}.",
    ),
    Code.SIGNATURE_REQUIRED: (
        "部门“{department}”的消息须签名（RFC 9421）。如有疑问，请联系{contact}。",
        "Messages of “{department}” have to be signed (RFC 9421). If in doubt, turn to {contact_en}.",
    ),
    Code.SIGNATURE_REFUSED: (
        "消息签名未被接受：{detail}。如有疑问，请联系{contact}。",
        "The signature of the message is not accepted: {detail_en}. If in doubt, turn to {contact_en}.",
    ),
    Code.MESSAGE_REPLAYED: (
        "该签名消息此前已收到，本次未处理。重发须使用新的随机数重新签名；如有疑问，请联系{contact}。",
        "This signed message came before: sign it with a new nonce to send it again. If in doubt, {contact_en}.",
    ),
    Code.FIELD_REQUIRED: ("“{label}”必须填写。", "{path} must be filled in."),
    Code.FIELD_INVALID: ("“{label}”填写有误：{detail}。", "{path} is not valid: {detail_en}."),
    Code.ID_NUMBER_INVALID: (
        "“{label}”有误：{detail}，请与证件核对。",
        "{path} is not a valid ID number: {detail_en}. Compare it with the card.",
    ),
    Code.JURISDICTION_UNKNOWN: ("没有代码为“{value}”的办理地区。", "There is no jurisdiction with the code “{value}”."),
    Code.AREA_UNKNOWN: (
        "“{label}”的行政区划代码“{value}”格式不正确。",
        "{path}: “{value}” is not an administrative area code.",
    ),
    Code.OPTION_UNKNOWN: (
        "“{label}”没有选项“{value}”，可选：{options}。",
        "{path}: “{value}” is not an option; options are {options}.",
    ),
    Code.ITEM_UNKNOWN: ("没有事项“{value}”，可选：{options}。", "There is no item “{value}”; items are {options}."),
    Code.MATERIAL_NOT_ASKED: (
        "本地没有规定这里需要提交材料，不必上传。",
        "The rules of this place ask for no paper here: none has to be handed in.",
    ),
    Code.MATERIAL_MISSING: ("缺少材料：{label}。", "A material is missing: {label}."),
    Code.COMMITMENT_MISSING: ("尚未确认承诺：{label}。", "A commitment has not been made: {label}."),
    Code.PAYEE_RELATION_NOT_ALLOWED: (
        "领取人与逝者的关系“{value}”不在允许范围内，允许：{options}。",
        "The payee's relation “{value}” is not one of those allowed: {options}.",
    ),
    Code.ACCOUNT_REASON_MISSING: (
        "使用申请人（继承人）账户须写明无法提供逝者账户的特殊原因。",
        "An applicant's (heir's) account needs the special reason why the deceased's cannot be given.",
    ),
    Code.ACCOUNT_HOLDER_MISMATCH: ("账户户名应为{expected}。", "The account must be held by {expected_en}."),
    Code.ITEM_NOT_OFFERED: ("事项“{item}”目前尚未开通联办。", "The item “{item}” is not offered at present."),
    Code.IDENTITY_MISMATCH: (
        "“{label}”与{source}登记的信息不一致，请核对。",
        "{path} differs from what {source_en} holds; compare it with the card.",
    ),
    Code.SOURCE_UNAVAILABLE: (
        "{source}暂不可用，未能核验；不影响提交，平台将自行补核。",
        "{source_en} cannot be reached, so nothing was verified; the submission is taken all the same.",
    ),
    Code.UPLOAD_EMPTY: ("文件没有内容，请检查后重新上传。", "The file is empty; choose it again."),
    Code.UPLOAD_TOO_LARGE: (
        "文件过大，上限为{limit}字节。请压缩或分成几份后重新上传。",
        "The file is too large: at most {limit} bytes. Make it smaller, or send it in several files.",
    ),
    Code.UPLOAD_TYPE_NOT_ALLOWED: (
        "不接受这种类型的文件，可接受：{options}。",
        "Files of this type are not taken; types are {options}.",
    ),
    Code.UPLOAD_TYPE_MISMATCH: (
        "文件内容与所声明的类型{declared}不符，请核对文件。",
        "The content of the file is not {declared}, as it was declared. Look at the file.",
    ),
    Code.UPLOAD_TOO_SLOW: (
        "文件未能在{limit}秒内传完，没有保存任何内容，请在网络较好时重试。",
        "The file did not arrive within {limit} seconds and nothing was kept. Send it again over a better line.",
    ),
    Code.UPLOAD_INFECTED: (
        "文件中发现病毒，没有保存。请用杀毒软件检查设备后重新上传。",
        "A virus was found in the file and it was not kept. Check the device, then upload it again.",
    ),
    Code.UPLOAD_NOT_FOUND: (
        "没有这份已上传的文件，或已过期，或不是由您上传的。请重新上传。",
        "There is no such uploaded file, it has expired, or somebody else uploaded it. Upload it again.",
    ),
    Code.UPLOADS_TOO_MANY: (
        "文件过多，上限为{limit}份。请先将已上传的文件提交到办件。",
        "Too many files: at most {limit}. Attach to a case what was uploaded already.",
    ),
    Code.UPLOAD_NOT_OFFERED: (
        "本平台目前不接收文件：尚未设定病毒扫描方式。请将材料交至窗口。",
        "No files are taken at present: how they are scanned for viruses is not set. Hand the papers in at a counter.",
    ),
    Code.NOT_ELIGIBLE: (
        "不符合办理条件：{label}（{fact}）。可按单项事项分别办理。",
        "Not eligible: {label_en} ({fact}). Each matter can still be handled by its own procedure.",
    ),
    Code.NOT_ROLLED_OUT: ("“{area}”尚未开通此项服务（{since}）。", "The service is not on in {area} yet ({since})."),
    Code.CHANNEL_NOT_OFFERED: (
        "本地不提供渠道“{value}”，可用：{options}。",
        "The channel “{value}” is not offered here; channels are {options}.",
    ),
    Code.OPENER_NOT_ALLOWED: ("“{flow}”须由{options}开始办理。", "A case of the kind “{flow}” is opened by {options}."),
    Code.CERTIFICATE_REQUIRED_FIRST: (
        "须先由{department}出具{certificate}，再填报报丧信息。",
        "{certificate} must be issued by {department} before the report is filed.",
    ),
    Code.CASE_ALREADY_OPEN: (
        "该逝者已有在办的办件，编号{number}。如您也是亲属，可申请加入该办件。",
        "A case for this deceased is already open, number {number}. A relative can ask to join it.",
    ),
    Code.SUBMISSION_KEY_REUSED: (
        "提交标识已用于另一份内容不同的表单，请更换标识。",
        "This submission key was used for a form with different content; use a new key.",
    ),
    Code.CASE_NOT_FOUND: (
        "没有找到编号为{number}的办件，或您无权查看。如有疑问，请联系受理窗口或客服。",
        "There is no case {number}, or it is not yours to see. If in doubt, turn to the counter, or to support.",
    ),
    Code.ITEM_NOT_IN_CASE: ("该办件没有事项“{item}”。", "The case has no item “{item}”."),
    Code.ACTION_NOT_POSSIBLE: (
        "当前状态“{status}”不能执行“{action}”。",
        "“{action}” is not possible in the state “{status}”.",
    ),
    Code.IDENTITY_ALREADY_KNOWN: (
        "逝者身份已经登记。",
        "The identity of the deceased is already recorded.",
    ),
    Code.NOTHING_TO_CORRECT: ("没有内容需要更正。", "Nothing differs from what is recorded."),
    Code.WITHDRAWAL_NOT_OFFERED: (
        "当前规则不允许撤回事项“{item}”：{detail}。",
        "The rules here do not let “{item}” be withdrawn: {detail_en}.",
    ),
    Code.RATING_NOT_OFFERED: ("本地未设“好差评”。", "Cases are not rated here."),
    Code.MATERIAL_NOT_FOUND: (
        "没有找到这份材料文件，或您无权查看。如有疑问，请联系受理窗口或客服。",
        "There is no such file, or it is not yours to see. If in doubt, turn to the counter, or to support.",
    ),
    Code.MATERIAL_NOT_SCANNED: (
        "文件正在等待病毒扫描，扫描后即可下载，请稍后再试。",
        "The file waits for the virus scanner and can be downloaded once it was scanned. Try again later.",
    ),
    Code.NOT_DISPATCHED: (
        "事项“{item}”尚未推送，不能接收结果；正在等待：{waits}。",
        "The item “{item}” has not been pushed yet, so no result is taken; it waits for: {waits}.",
    ),
    Code.CONFLICT: (
        "与已记录的结果不一致：{detail}。原结果不变，本次回传已留存备查。",
        "It contradicts what is recorded: {detail_en}. Nothing was changed; the message is kept for review.",
    ),
    Code.NOT_OWNER: (
        "事项“{item}”不由{department}办理，回传未被接受。",
        "The item “{item}” is not {department}'s; the result was not taken.",
    ),
    Code.NOT_ISSUER: (
        "{certificate}不由{department}出具，未被接受。",
        "{certificate} is not {department}'s to issue; it was not taken.",
    ),
    Code.NOTHING_SHARED: (
        "平台上没有该逝者的{certificate}，不能据此办理。",
        "The platform holds no {certificate} of this deceased to act on.",
    ),
    Code.CASE_REVOKED: (
        "该办件因误报已撤销，请勿继续办理；已办的请恢复。",
        "The death was recorded in error and the case is revoked: do not act, and undo what was done.",
    ),
    Code.CERTIFICATE_REQUIRED: (
        "办结事项“{item}”须同时上传{certificate}。",
        "Completing “{item}” needs the {certificate}.",
    ),
    Code.CERTIFICATE_TYPE_WRONG: (
        "事项“{item}”不出具此类证照。",
        "The item “{item}” does not issue this kind of certificate.",
    ),
    Code.PAYOUT_NOT_ALLOWED: (
        "事项“{item}”不产生资金发放。",
        "The item “{item}” pays nothing; a payment cannot be reported for it.",
    ),
    Code.PAYOUT_UNKNOWN: (
        "没有编号为{serial}的待发放款项；请先回传核定金额。",
        "There is no payout {serial}; report its approval, with the amount, first.",
    ),
    Code.INVALID_OPERATION: ("请求不是有效的GraphQL操作：{detail}", "Not a valid GraphQL operation: {detail}"),
    Code.OPERATION_TOO_LARGE: (
        "请求过大：{detail}上限为{limit}。",
        "The operation is too large: at most {limit} {detail_en}.",
    ),
    Code.DOCUMENT_NOT_REGISTERED: (
        "该操作未登记，不能执行。请使用已登记的文档，或联系平台登记。",
        "This operation is not registered and does not run: send one that is, or have it registered.",
    ),
    Code.TOO_MANY_REQUESTS: (
        "请求过多，请在{seconds}秒后再试。批量系统如需更高额度，请联系{contact}。",
        "Too many requests: try again in {seconds} seconds. A system that needs more turns to {contact_en}.",
    ),
    Code.TIME_LIMIT: (
        "该部分内容未能在{limit}秒内取得，其余内容不受影响，请稍后再试。",
        "This part was not ready within {limit} seconds; the rest is complete. Ask for it again later.",
    ),
    Code.NOT_SERVED: (
        "不接受此请求：{detail}。",
        "The request is not taken: {detail_en}.",
    ),
    Code.TRY_AGAIN: (
        "系统暂时无法保存，内容没有丢失也没有重复办理的风险，请稍后原样重试。",
        "The system cannot store anything at the moment. Send the same again later: nothing is done twice.",
    ),
    Code.INTERNAL: (
        "系统内部错误，事件编号{incident}，请提供给客服查询。",
        "Internal error, incident {incident}; support can look it up.",
    ),
    Code.APPLIES_TO_ALL: ("所有办件均办理。", "Handled in every case."),
    Code.APPLIES_BY_FACT: ("适用：{condition}。", "Applies: {condition_en}."),
    Code.CHOSEN: ("申请人已选择。", "Chosen by the applicant."),
    Code.DEPARTMENT_VERIFIES: (
        "未填报“{condition}”，由部门核实。",
        "Not declared whether “{condition_en}”; the department verifies.",
    ),
    Code.DOES_NOT_APPLY: ("不适用：不属于“{condition}”。", "Does not apply: not “{condition_en}”."),
    Code.NOT_DECLARED: (
        "未申报“{condition}”；如有，请联系值守人员。",
        "“{condition_en}” was not declared; if it holds, turn to the duty person.",
    ),
    Code.ORIGINAL_PROCEDURE: ("按照原流程办理：{condition}。", "By the original procedure: {condition_en}."),
    Code.CONDITION_NOT_MET: (
        "不予办理：须符合“{condition}”。",
        "Refused: it takes “{condition_en}”.",
    ),
    Code.RECORDED_BY_DEPARTMENT: (
        "部门已依据共享信息自行办理。",
        "Done by the department itself, on shared data.",
    ),
    Code.DECIDED_BY_HAND: ("人工决定不再办理：{detail}。", "Decided by a person not to be handled here: {detail}."),
    Code.FLOW_CHANGED: ("死亡情形已变更为“{flow}”。", "The kind of death was changed to “{flow}”."),
    Code.DEPARTMENT_FOUND_NOTHING: ("部门核实：{detail}。", "The department found: {detail}."),
    Code.WAITS_FOR_CERTIFICATE: ("等待{certificate}。", "Waits for: {certificate}."),
    Code.WAITS_FOR_ITEM: ("等待事项“{item}”办结。", "Waits for the item “{item}” to be completed."),
    Code.WAITS_FOR_REFUSED_ITEM: (
        "前置事项“{item}”未能办结（{status}）。",
        "The item “{item}” it depends on ended without completion ({status}).",
    ),
    Code.WAITS_FOR_REPORT: ("等待填报报丧信息。", "Waits for the bereavement report."),
    Code.WAITS_FOR_IDENTITY: ("等待确认逝者身份。", "Waits for the identity of the deceased."),
    Code.WAITS_FOR_ALL_ITEMS: ("等待其他事项全部结束。", "Waits for every other item to end."),
    Code.DEPARTMENT_NOT_CONFIGURED: (
        "尚未配置办理部门。",
        "Department not configured.",
    ),
    Code.WAITS_FOR_DEPARTMENT: ("{department}正在办理。", "With {department}."),
    Code.WAITS_FOR_FAMILY: ("等待家属补正：{detail}。", "Waits for the family: {detail}."),
    Code.WAITS_FOR_DELIVERY: (
        "{department}的系统暂未响应，自{since}起重试中。",
        "The system of {department} has not answered since {since}; it is tried again.",
    ),
    Code.DELIVERY_LOST: (
        "{department}的系统已没有这份申请，以同一编号重新推送。",
        "The system of {department} no longer knows the application; it is sent again under the same key.",
    ),
    Code.DELIVERY_GIVEN_UP: (
        "{department}的系统多次未能接收，需人工处理。",
        "The system of {department} could not be reached in all attempts; a person has to look at it.",
    ),
    Code.LIMIT_NEAR: (
        "{department}：{clock}将至，截止{due}。",
        "{department}: the {clock_en} is near, due {due}.",
    ),
    Code.OVERDUE: (
        "{department}：{clock}已过，应于{due}前完成。",
        "{department}: the {clock_en} has passed, it was due {due}.",
    ),
    Code.WAITS_FOR_PAYOUT: ("款项待发放。", "Money is approved and not yet on the account."),
    Code.PAPER_INFECTED: (
        "“{material}”的文件查出病毒，已经删除，请重新上传。",
        "A virus was found in the file of “{material}” and it was removed: it has to be handed in again.",
    ),
    Code.PAYOUT_HELD: ("款项暂缓发放：{detail}", "A payout is held: {detail}"),
    Code.PAYOUT_RETURNED: ("款项被银行退回：{detail}。", "The bank returned the money: {detail}."),
    Code.SHORTFALL: (
        "应扣回金额超过待遇，尚差{amount}元，需人工处理。",
        "More was to be deducted than there was to pay: {amount} yuan are left for a person to handle.",
    ),
    Code.WAITS_FOR_REVERSAL: ("等待{department}恢复。", "Waits for {department} to undo it."),
    Code.REVERSAL_REFUSED: (
        "{department}不予恢复：{detail}。需人工处理。",
        "{department} cannot undo it: {detail}. A person has to look at it.",
    ),
    Code.PAID_BEFORE_REVOCATION: (
        "撤销前款项已发放或已下达，由{department}追回。",
        "The money was paid or ordered before the revocation; {department} recovers it.",
    ),
    Code.WAITS_FOR_SETTLEMENT: (
        "等待“{item}”的结果，以便抵扣后发放。",
        "Waits for the result of “{item}”, which may be deducted.",
    ),
    Code.PAYEE_RULE_NOT_CONFIGURED: (
        "收款账户规则未配置（政策未规定）。",
        "Payee rule not configured: the policy does not say whose account is paid.",
    ),
    Code.ACCOUNT_NOT_GIVEN: ("家属尚未提供收款账户。", "The family has not given an account yet."),
    Code.NEGATIVE_BALANCE: ("清算为负数，不产生发放。", "The account settled negative; nothing is paid."),
}


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@dataclass(frozen=True, slots=True)
class Reason:
    """``code`` with its requirement ids and the facts of its text."""

    code: Code
    ids: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def zh(self) -> str:
        return TEXTS[self.code][0].format_map(_Facts(self.facts))

    def en(self) -> str:
        return TEXTS[self.code][1].format_map(_Facts(self.facts)).replace("、", ", ")


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason to refuse an input.  ``path``: the field below ``input``, None = all of it."""

    reason: Reason
    path: str | None = None
    severity: str = "ERROR"
    """``ERROR`` refuses; ``WARNING`` does not."""


class Refused(Exception):
    """A use case refuses an input, with every reason at once (PD-11)."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(problem.reason.code for problem in problems))
        self.problems = problems


def refuse(code: Code, path: str | None = None, /, *ids: str, **facts: str) -> Refused:
    """One problem as an exception."""
    hidden = {name: _WHOLE.sub("…", value) for name, value in facts.items()}
    return Refused(Problem(Reason(code, tuple(ids), hidden), path))
