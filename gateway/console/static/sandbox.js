import { ask, document as text, keepToken, token } from "/static/kit.js";

const $ = (id) => window.document.getElementById(id);
const FORM = { jurisdiction: "hz", flow: "OUTSIDE", channel: "STAFF_APP", deceased: { name: "沈福根", idNumber: "330502193910109559", hukouArea: "330502" },
  death: { occurredAt: "2026-11-20T20:00:00+08:00", area: "330502" }, applicant: { name: "沈丽娟", relation: "CHILD" }, situations: [{ code: "PENSION_RETIREE", holds: true }] };
const VARIABLES = { OneCase: { n: "HZ…" }, Check: { input: FORM }, Submit: { input: FORM }, Complete: { input: { caseNumber: "HZ…", item: "hukou-deregistration", serial: "1" } }, MoveClock: { input: { to: "2026-11-24T09:00:00+08:00" } } };
const examples = (await text("examples")).trim().split(/\n\n(?=query|mutation)/);
const sdl = await (await fetch("/schema.graphql")).text();
const blocks = sdl.split(/\n\n(?=(?:"""|type |input |enum |scalar |interface |union |schema |directive ))/);

$("token").value = token();
for (const [index, example] of examples.entries()) $("example").append(new Option(example.match(/(?:query|mutation) (\w+)/)[1], index));
$("example").addEventListener("change", choose);
$("form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
window.document.addEventListener("keydown", (event) => { if (event.ctrlKey && event.key === "Enter") run(); });
$("search").addEventListener("input", filter);
$("token").addEventListener("change", who);
choose(); filter(); who();

function choose() {
  const example = examples[Number($("example").value) || 0];
  $("query").value = example;
  $("variables").value = JSON.stringify(VARIABLES[example.match(/(?:query|mutation) (\w+)/)[1]] ?? {}, null, 2);
}

function filter() { const wanted = $("search").value.trim().toLowerCase(); $("sdl").textContent = blocks.filter((block) => block.toLowerCase().includes(wanted)).join("\n\n"); }

async function who() {
  keepToken($("token").value);
  if (!token()) { $("who").textContent = ""; return; }
  try { const { viewer } = await ask("{ viewer { name roleName area now } }"); $("who").textContent = `${viewer.name} · ${viewer.roleName} · ${viewer.area} · ${viewer.now}`; } catch (error) { $("who").textContent = error.message; }
}

async function run() {
  keepToken($("token").value);
  const started = performance.now();
  let variables;
  try { variables = JSON.parse($("variables").value || "{}"); } catch (error) { $("result").textContent = `variables: ${error.message}`; return; }
  let wrong = "";
  try { $("result").textContent = JSON.stringify(await ask($("query").value, variables, (words) => { wrong = `${words}\n\n`; }), null, 2); } catch (error) { $("result").textContent = error.message; }
  $("result").prepend(wrong);
  $("took").textContent = `${Math.round(performance.now() - started)} ms`;
}
