// What both pages share: the token (kept for this tab only), GraphQL over POST, and DOM built from text, never from markup.
export function token() { return sessionStorage.getItem("token") || ""; }
export function keepToken(value) { sessionStorage.setItem("token", value.trim()); }

// `partly`: takes the words of what is wrong beside an answer that has come all the same (a field was not ready in time).
export async function ask(query, variables, partly) {
  let answer;
  try {
    answer = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token()}` },
      body: JSON.stringify({ query, variables }),
    });
  } catch { throw new Error("无法连接联办平台，请稍后再试。"); }
  const body = await answer.json().catch(() => null);
  if (!body) throw new Error(`联办平台的应答无法识别（HTTP ${answer.status}）。`);
  if (body.errors) {
    const words = body.errors.map((e) => `${e.message}〔${e.extensions?.code ?? ""}〕`).join("\n");
    if (!partly || !body.data) throw new Error(words);
    partly(words);
  }
  return body.data;
}

export async function document(name) { return (await fetch(`/static/${name}.graphql`)).text(); }

export function make(tag, attributes = {}, ...children) {
  const node = window.document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

export function time(value) { return value ? new Date(value).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" }) : "—"; }

export function table(heads, rows) {
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, heads.map((h) => make("th", { scope: "col" }, h)))),
    make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, cell)))))));
}
