import { ask, document as text, keepToken, make, table, time, token } from "/static/kit.js";
import { ALERT, CASE, DAY, DEADLINE, FRESHNESS, ITEM, KIND, LINK, MATERIAL, PAYOUT, PHASE, REVERSAL, VERIFICATION } from "/static/words.js";

const $ = (id) => window.document.getElementById(id);
let timer = null;
let shownNumber = null;
let rights = { mayReveal: [], revealReasons: [] };

$("token").value = token();
$("form").addEventListener("submit", (event) => { event.preventDefault(); keepToken($("token").value); look($("what").value.trim()); });
$("follow").addEventListener("change", () => { clearInterval(timer); if ($("follow").checked) timer = setInterval(() => shownNumber && show(shownNumber), 5000); });

async function look(what) {
  try {
    rights = (await ask(await text("rights"), {})).viewer;
    if (/^[0-9a-f]{12}$/.test(what)) return await incident(what);
    const number = /^[A-Za-z]{1,6}[0-9-]{6,}$/.test(what);
    if (number) return await show(what);
    const filter = /^[0-9Xx（）()A-Z]{8,}$/.test(what) ? { idNumber: what } : { name: what };
    const { cases } = await ask(await text("find"), { f: filter });
    if (cases.totalCount === 1) return await show(cases.nodes[0].number);
    shownNumber = null;
    $("answer").replaceChildren(cases.totalCount === 0 ? note("没有找到，或您无权查看。") : section(`找到${cases.totalCount}个办件`,
      table(["编号", "逝者", "状态", "进度", ""], cases.nodes.map((c) => [c.number, c.deceased.name ?? "身份不明", CASE[c.status], c.progress.summary, opener(c.number)]))));
  } catch (error) { $("answer").replaceChildren(note(error.message, "bad")); }
}

async function incident(id) {
  const found = (await ask(await text("incident"), { id })).incident;
  shownNumber = null;
  $("answer").replaceChildren(found ? section(`内部错误 ${id}`, facts([["时间", time(found.at)], ["操作", found.operation], ["错误", found.kind], ["位置", found.frames.join(" › ")]]),
    note("请对方重试；若再次出错，请把事件编号交给系统管理员。")) : note("没有这个事件编号。"));
}

function opener(number) { const button = make("button", { type: "button", class: "plain" }, "打开"); button.addEventListener("click", () => show(number)); return button; }

async function show(number) {
  try {
    let late = null;
    const found = (await ask(await text("case"), { n: number }, (words) => { late = note(words, "bad"); })).case;
    shownNumber = found ? number : null;
    const answer = found ? draw(found) : late ? [] : [note("没有这个办件，或您无权查看。")];
    $("answer").replaceChildren(...(late ? [late] : []), ...answer);
  } catch (error) { $("answer").replaceChildren(note(error.message, "bad")); }
}

function draw(c) {
  const ended = (i) => ["COMPLETED", "REFUSED", "WITHDRAWN"].includes(i.status) && !undoing(i);
  const [open, done] = [c.items.filter((i) => !ended(i)), c.items.filter(ended)];
  return [
    section(`${c.number} · ${CASE[c.status]}`, c.revocation ? note(`死亡登记有误，${time(c.revocation.at)}撤销：${c.revocation.reason}`, "bad") : null, make("p", { class: "big" }, `${PHASE[c.progress.phase]} · ${c.progress.summary}`), make("progress", { max: c.progress.total, value: c.progress.finished, "aria-label": "办理进度" }),
      make("p", { class: "soft" }, `${c.areaName ?? ""} · 立案 ${time(c.openedAt)}${c.closedAt ? ` · 办结 ${time(c.closedAt)}` : ""} · 值守：${c.dutyContact}`),
      remarks(c),
      make("p", {}, papers(c))),
    section("为什么还没有办完", c.whyNotFinished.length ? make("ul", { class: "why" }, c.whyNotFinished.map((w) => make("li", {}, w.item ? make("strong", {}, `${w.item.name}：`) : null, w.reason.message,
      make("span", { class: "soft" }, ` 自${time(w.since)}起${w.reason.requirementIds.length ? `〔${w.reason.requirementIds.join("，")}〕` : ""}`)))) : make("p", { class: "good" }, c.status === "REVOKED" ? "各部门都已恢复。" : "全部事项与款项都已办完。")),
    make("div", { class: "pair" }, section("逝者与家属", facts([["逝者", c.deceased.name ?? "身份不明"], ["证件号码", c.deceased.idNumber], ["户籍", words(c.deceased.hukouAreaName, c.deceased.hukouAddress)], ["死亡时间", time(c.death.occurredAt)], ["死亡地点", words(c.death.areaName, c.death.place)], ["死因", c.death.cause], ["家属", c.applicant && `${c.applicant.name}（${c.applicant.relationName ?? "—"}）`], ["家属证件号码", c.applicant?.idNumber], ["联系电话", c.applicant?.phone], ["家属住址", c.applicant?.address]]), reveal(c.number)),
      section("款项", facts([["已核定", `${c.money.approved} 元`], ["已发放", `${c.money.paid} 元`], ["发放中", `${c.money.underway} 元`], ["暂缓", `${c.money.held} 元`], ["已退汇", `${c.money.returned} 元`], ...owed(c.money)]))),
    section(`办理中的事项（${open.length}）`, items(open)),
    section(`已结束的事项（${done.length}）`, items(done)),
    c.alerts.length ? section(`督办（${c.alerts.filter((a) => !a.answeredAt).length}件未了结）`, table(["种类", "事项", "说明", "记录", "了结"], c.alerts.map((a) => [make("span", { class: a.answeredAt ? "soft" : "bad" }, ALERT[a.kind]), a.item?.name ?? "办件", reason(a.reason), time(a.recordedAt), time(a.answeredAt)]))) : null,
    c.payouts.length ? section("款项明细", table(["款项", "金额", "实发", "状态", "账户", "说明"], c.payouts.map((p) => [p.kindName, p.amount, p.netAmount, PAYOUT[p.status], p.account ? `${p.account.holder ?? ""} ${p.account.number ?? ""}` : "—", p.holdReason?.message ?? p.returnReason ?? time(p.paidAt)]))) : null,
    c.certificates.length ? section("证照", table(["证照", "编号", "出具机构", "时间"], c.certificates.map((x) => [x.typeName, x.number, x.issuer ?? "—", time(x.issuedAt)]))) : null,
    c.materials.length ? section("材料", table(["材料", "文件", "提交"], c.materials.map((m) => [m.typeName, m.status ? make("span", { class: m.status === "INFECTED" ? "bad" : "" }, MATERIAL[m.status]) : "未上传", time(m.addedAt)]))) : null,
    c.summaryList ? section("汇总清单", table(["事项", "结果", "已发放"], c.summaryList.map((s) => [s.item.name, s.result, s.paid]))) : null,
    c.automaticStops.length ? section("自动停发", table(["事项", "结果"], c.automaticStops.map((s) => [s.definition.name, s.recordedAt ? `${time(s.recordedAt)} 已停` : "尚未回传"]))) : null,
    c.verifications.length ? section("共享数据核验", table(["核验对象", "来源", "结果", "时间"], c.verifications.map((v) => [v.person, v.sourceName, VERIFICATION[v.outcome], time(v.at)]))) : null,
    section(`归档检查：${c.archive.complete ? "齐备" : "尚缺"}`, make("p", { class: "soft" }, c.archive.records.filter((r) => !r.present).map((r) => r.name).join("、") || "各项记录齐备。")),
    section("时间线", make("details", {}, make("summary", {}, `${c.timeline.nodes.length}条`), table(["时间", "事件", "经办"], c.timeline.nodes.map((t) => [time(t.at), t.text, t.actor])))),
  ].filter(Boolean);
}

const undoing = (i) => i.reversal && i.reversal.status !== "COMPLETED";

function remarks(c) {
  const words = [c.platformCode && `上级平台办件码：${c.platformCode}`, c.firstAsked && `首问责任人：${c.firstAsked}`, c.rating && `评价：${c.rating.levelName} ${c.rating.comment}`];
  return make("p", { class: "soft" }, words.filter(Boolean).join(" · "));
}

function words(...parts) { return parts.filter(Boolean).join(" "); }

function reveal(number) {
  if (!rights.mayReveal.length) return null;
  const button = make("button", { type: "button", class: "plain" }, "查看完整信息…");
  button.addEventListener("click", () => { const dialog = question(number); window.document.body.append(dialog); dialog.addEventListener("close", () => dialog.remove()); dialog.showModal(); });
  return make("p", { class: "no-print" }, button);
}

function question(number) {
  const kinds = rights.mayReveal.map((kind) => make("label", { class: "tick" }, make("input", { type: "checkbox", name: "kind", value: kind }), ` ${KIND[kind]}`));
  const reason = make("select", { name: "reason", required: "" }, make("option", { value: "" }, "请选择"), ...rights.revealReasons.map((known) => make("option", { value: known.code }, known.name)));
  const remark = make("input", { name: "note", maxlength: 200, autocomplete: "off" });
  const wrong = make("p", { class: "bad", role: "status" });
  const cancel = make("button", { type: "button", class: "plain" }, "取消");
  const form = make("form", { method: "dialog" }, make("h2", {}, "查看完整信息"), make("p", { class: "soft" }, "仅对您本人、限时有效。何人、何时、因何查看了哪些信息，将记入时间线，家属可以看到。"),
    make("fieldset", {}, make("legend", {}, "查看内容"), ...kinds), make("label", {}, "事由", reason), make("label", {}, "说明", remark), wrong, make("p", {}, make("button", {}, "确认查看"), " ", cancel));
  const dialog = make("dialog", { "aria-label": "查看完整信息" }, form);
  cancel.addEventListener("click", () => dialog.close());
  reason.addEventListener("change", () => { remark.required = Boolean(rights.revealReasons.find((known) => known.code === reason.value)?.note); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = [...form.querySelectorAll("input[name=kind]:checked")].map((box) => box.value);
    try {
      const told = (await ask(await text("reveal"), { input: { caseNumber: number, fields, reason: reason.value, note: remark.value || null } })).revealPersonalData;
      if (told.userErrors.length) throw new Error(told.userErrors.map((e) => e.message).join("\n"));
      dialog.close();
      await show(number);
    } catch (error) { wrong.textContent = error.message; }
  });
  return dialog;
}

function owed(money) {
  return [["已抵扣", money.deducted], ["尚欠账户", money.shortfall]].filter(([, sum]) => Number(sum) > 0).map(([name, sum]) => [name, `${sum} 元`]);
}

function papers(c) {
  const link = (name, address) => make("a", { href: address, target: "_blank", rel: "noopener" }, name);
  return [link("办事指南", c.jurisdiction.guideUrl), " · ", link("空白登记表", c.jurisdiction.blankFormUrl), " · ", paper("打印登记表", "registration-form", c.number), " ",
    c.status === "CLOSED" ? paper("打印汇总清单", "summary", c.number) : null];
}

function paper(name, what, number) {
  const button = make("button", { type: "button", class: "plain" }, name);
  button.addEventListener("click", async () => {
    try {
      const answer = await fetch(`/documents/cases/${what}`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${token()}` }, body: JSON.stringify({ caseNumber: number }) });
      if (!answer.ok) throw new Error((await answer.json()).errors[0].message);
      const address = URL.createObjectURL(await answer.blob());
      window.open(address, "_blank", "noopener");
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (error) { $("answer").prepend(note(error.message, "bad")); }
  });
  return button;
}

function items(list) {
  if (!list.length) return make("p", { class: "soft" }, "无。");
  return table(["事项", "部门", "状态", "期限", "部门系统"], list.map((i) => [
    [make("div", {}, i.name), make("div", { class: "soft" }, i.requirementId)],
    i.department?.name ?? "平台",
    [make("div", { class: i.overdue ? "bad" : i.status === "COMPLETED" ? "good" : "" }, ITEM[i.status] + (i.found ? "（共享数据已办）" : "") + (i.overdue ? " · 已超时" : "")), ...undone(i.reversal), ...i.waitsFor.map((w) => make("div", { class: "soft" }, w.reason.message)), i.amendedAt ? make("div", { class: "soft" }, `更正已推送 ${time(i.amendedAt)}`) : null,
      i.outcome ? make("div", { class: "soft" }, `${i.outcome} ${i.missing.join("、")}`) : null, i.delivery.failingSince ? make("div", { class: "bad" }, `推送未达，自${time(i.delivery.failingSince)}起；下次 ${time(i.delivery.nextAttemptAt)}`) : null,
      i.delivery.state === "PENDING" && i.link ? link(i.link) : null],
    i.deadlines.map(deadline),
    i.liveRecord ? [make("div", { class: i.liveRecord.freshness === "LIVE" ? "" : "bad" }, `${FRESHNESS[i.liveRecord.freshness]} ${time(i.liveRecord.asOf)}`), make("div", { class: "soft" }, [i.liveRecord.rawCode, i.liveRecord.rawMessage].filter(Boolean).join(" "))] : "—",
  ]));
}

function link(l) {
  if (l.pausedUntil) return make("div", { class: "bad" }, `已暂停推送至 ${time(l.pausedUntil)}：${l.pauseReason}`);
  if (l.inMaintenance) return make("div", { class: "bad" }, "部门系统维护中，维护结束后自动推送");
  return l.state === "UP" ? null : make("div", { class: "bad" }, `部门系统${LINK[l.state]}，自${time(l.since)}起（${l.error}）；恢复后自动推送`);
}

function undone(reversal) {
  if (!reversal) return [];
  const failing = reversal.delivery.failingSince ? `，推送未达，自${time(reversal.delivery.failingSince)}起` : "";
  return [make("div", { class: reversal.status === "COMPLETED" ? "good" : "bad" }, `恢复（撤销）：${REVERSAL[reversal.status]}${failing}`), make("div", { class: "soft" }, reversal.outcome ?? reversal.reason)];
}

function deadline(d) {
  const line = `${d.clock === "PAYOUT" ? "发放" : "办理"}：${d.dueAt ? time(d.dueAt) : ""} ${DEADLINE[d.state]}`;
  const bad = ["OVERDUE", "MISSED", "CALENDAR_MISSING"].includes(d.state) ? "bad" : "";
  if (!d.days.length) return make("div", { class: bad }, line);
  let count = 0;
  return make("details", { class: bad }, make("summary", {}, line), make("div", { class: "soft" }, d.quote), ...d.days.map((day) => make("div", { class: "soft" }, `${day.on} ${DAY[day.note] ?? day.note}${day.counts ? ` 第${++count}日` : " 不计"}`)));
}

function reason(r) { return [r.message, make("span", { class: "soft" }, r.requirementIds.length ? `〔${r.requirementIds.join("，")}〕` : "")]; }
function facts(pairs) { return make("table", {}, make("tbody", {}, pairs.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value || "—"))))); }
function section(title, ...children) { return make("section", {}, make("h2", {}, title), ...children); }
function note(words, kind = "soft") { return make("p", { class: kind, role: "status" }, words); }
