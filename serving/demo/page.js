const $ = (id) => document.getElementById(id);
const history = [];  // {item_id, title}, oldest first
const titles = new Map();
let state = null;  // what `advance` goes on from
let shown = new Set();
let turn = 0;  // answers of earlier questions are not shown

async function ask(question, body) {
  const response = await fetch(`api/${question}`, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function wishes() {
  return {
    profile_text: $("profile").value,
    scenario: $("scenario").value,
    history: history.map((event) => event.item_id),
    k: 10,
    policy: {
      diversity: Number($("diversity").value),
      diversity_method: $("method").value,
      exploration: Number($("exploration").value),
      seed: Math.floor(Math.random() * 2 ** 31),
    },
  };
}

async function list(question, extra = {}) {
  const mine = ++turn;
  say("asking …");
  const began = performance.now();
  try {
    const answer = await ask(question, { ...wishes(), ...extra });
    if (mine !== turn) return;
    state = answer.state;
    show(answer.answers);
    say(`${answer.answers.length} items in ${Math.round(performance.now() - began)} ms`);
  } catch (error) {
    if (mine === turn) say(error.message, true);
  }
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").className = isError ? "error" : "";
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function button(text, label, act) {
  const made = element("button", text);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function row(title, ...buttons) {
  const item = element("li");
  const line = element("div", "", "row");
  line.append(element("span", title, "title"), ...buttons);
  item.append(line);
  return item;
}

function name(item) {
  return item.title || item.item_id;
}

function reason(answer) {
  const [kind, id] = answer.reason.split(/:(.*)/s);
  const words = {
    history: `near ${titles.get(id) || id}`,
    state: "from what they did",
    profile: "from the interests in words",
    popular: "liked by many",
  }[kind] || answer.reason;
  const chance = answer.propensity < 1 ? `, drawn with chance ${answer.propensity.toPrecision(2)}` : "";
  return `${words} · ${answer.source}${chance} · ${answer.score.toFixed(3)}`;
}

function show(answers) {
  const before = shown;
  shown = new Set(answers.map((answer) => answer.item_id));
  $("answers").replaceChildren(...answers.map((answer) => {
    titles.set(answer.item_id, name(answer));
    const item = row(
      name(answer),
      button("Why?", `Why ${name(answer)}?`, () => why(answer, item)),
      button("Add", `Add ${name(answer)}`, () => add(answer)),
    );
    item.dataset.id = answer.item_id;
    if (before.size && !before.has(answer.item_id)) item.classList.add("new");
    item.append(element("small", reason(answer)));
    return item;
  }));
}

function add(item) {
  titles.set(item.item_id, name(item));
  history.push(item);
  showHistory();
  list("next", { state, item_id: item.item_id, timestamp: Math.floor(Date.now() / 1000) });
}

function showHistory() {
  $("history").replaceChildren(...history.map((event, at) => row(
    name(event),
    button("Remove", `Remove ${name(event)}`, () => {
      history.splice(at, 1);
      showHistory();
      list("start");
    }),
  )));
}

async function why(answer, item) {
  try {
    const told = await ask("why", { ...wishes(), item_id: answer.item_id });
    item.querySelectorAll(".why").forEach((old) => old.remove());
    const widest = Math.max(1e-9, ...told.parts.map((part) => Math.abs(part.score)));
    const lines = told.parts.map((part, at) => {
      const line = element("small", `${name(history[at])}: ${part.score.toFixed(3)} ${part.words}`, "why");
      const bar = element("div", "", part.score < 0 ? "bar less" : "bar");
      bar.style.width = `${100 * Math.abs(part.score) / widest}%`;
      line.append(bar);
      return line;
    });
    item.append(...(lines.length ? lines : [element("small", "Nothing was done yet.", "why")]));
  } catch (error) {
    say(error.message, true);
  }
}

async function find(event) {
  event.preventDefault();
  try {
    const { answers } = await ask("find", { text: $("text").value, scenario: $("scenario").value, k: 5 });
    $("found").replaceChildren(...answers.map(
      (item) => row(name(item), button("Add", `Add ${name(item)}`, () => add(item))),
    ));
  } catch (error) {
    say(error.message, true);
  }
}

for (const id of ["diversity", "exploration"]) {
  $(id).addEventListener("input", () => { $(`${id}-shown`).textContent = $(id).value; });
}
for (const id of ["profile", "scenario"]) $(id).addEventListener("change", () => list("start"));
for (const id of ["diversity", "method", "exploration"]) {
  $(id).addEventListener("change", () => list("next", { state, item_id: "" }));
}
$("find").addEventListener("submit", find);
list("start");
