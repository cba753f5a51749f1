// The official term of every value of the schema's enums that the page shows.
export const CASE = { AWAITING_REPORT: "待报丧", IN_PROGRESS: "办理中", CLOSED: "已办结", REVOKING: "撤销中", REVOKED: "已撤销" };
export const ITEM = { BLOCKED: "等待前置", DISPATCHED: "已推送", ACCEPTED: "已受理", CORRECTION_REQUIRED: "待补正", COMPLETED: "已办结", REFUSED: "不予办理",
  NOT_APPLICABLE: "不适用", WITHDRAWN: "已撤回" };
export const PAYOUT = { APPROVED: "已核定", HELD: "暂缓", INSTRUCTED: "已下达", PAID: "已发放", RETURNED: "已退汇", OFFSET: "已抵扣", CANCELLED: "已取消" };
export const REVERSAL = { REQUESTED: "已提出", ACCEPTED: "已受理", COMPLETED: "已恢复", REFUSED: "不予恢复" };
export const VERIFICATION = { MATCH: "一致", MISMATCH: "不一致", NOT_HELD: "来源没有此人", UNAVAILABLE: "来源暂不可用" };
export const ALERT = { REMINDED: "催办", OVERDUE: "超时", ESCALATED: "升级督办" };
export const MATERIAL = { NOT_SCANNED: "未扫描", WAITING: "待扫描", CLEAN: "可查看", INFECTED: "含有病毒，须重新提交" };
export const LINK = { UP: "正常", DOWN: "没有响应，已停止推送", PROBING: "没有响应，正在试探" };
export const FRESHNESS = { LIVE: "实时", STALE: "非实时", UNAVAILABLE: "暂不可用", UNKNOWN_THERE: "部门无记录" };
export const DEADLINE = { NO_LIMIT: "无明确时限", NOT_STARTED: "未起算", RUNNING: "计时中", OVERDUE: "已超时", MET: "按时", MISSED: "超时完成", CLOSED: "已终止", CALENDAR_MISSING: "日历未公布" };
export const DAY = { WORKDAY: "工作日", MAKE_UP_DAY: "调休上班", WEEKEND: "周末" };
export const KIND = { IDENTITY: "证件号码", PHONE: "电话", ADDRESS: "住址", ACCOUNT: "账号", CAUSE: "死因" };
export const PHASE = { CONFIRMATION: "丧情确认", CREMATION: "遗体火化", AFTERCARE: "善后手续" };
