// The list, the filters and the keys. Only the lines in sight are in the document, so that 10,000 stay usable.

const list = document.getElementById("list");
const rows = document.getElementById("rows");
const drawn = new Map(); // entry -> its line, for those in sight
const LINE = isPair ? 108 : 84; // height in pixels
const BEYOND = 6; // lines drawn above and below the sight

function drawList() {
  const first = Math.max(0, Math.floor(list.scrollTop / LINE) - BEYOND);
  const last = Math.min(listed.length, Math.ceil((list.scrollTop + list.clientHeight) / LINE) + BEYOND);
  const wanted = new Set(listed.slice(first, last));
  for (const [entry, line] of drawn) {
    if (wanted.has(entry)) continue;
    line.remove();
    drawn.delete(entry);
  }
  for (let place = first; place < last; place += 1) {
    const entry = listed[place];
    if (!drawn.has(entry)) {
      drawn.set(entry, lineOf(entry));
      rows.append(drawn.get(entry));
    }
    const line = drawn.get(entry);
    line.style.top = place * LINE + "px";
    line.style.height = LINE + "px";
    line.setAttribute("aria-posinset", place + 1);
    line.setAttribute("aria-setsize", listed.length);
    line.setAttribute("aria-selected", String(entry.id === asked.at));
    if (entry.id === asked.at) list.setAttribute("aria-activedescendant", line.id);
  }
}

function lineOf(entry) {
  const shown = present(entry)[0];
  const task = taskOf(shown);
  const results = entry.sides.map((one, place) => {
    const name = isPair ? SIDES[place] + " " : "";
    return make(
      "p",
      { class: "result" },
      one ? [chip(name + verdictOf(one), verdictOf(one)), answerTold(one)] : chip(name + "none"),
    );
  });
  return make(
    "div",
    { class: "line", role: "option", id: "line-" + entry.place, on: { click: () => openEntry(entry.id, true) } },
    task.sources.length ? make("div", { class: "thumbnail" }, picture(task.sources[0], "")) : null,
    make("div", {}, make("p", { class: "asked" }, task.question), results),
  );
}

function answerTold(trajectory) {
  const failed = trajectory.turns.filter((turn) => turn.code).length;
  const told = trajectory.answer === null ? `stopped: ${trajectory.stop || "running"}` : trajectory.answer;
  const calls = trajectory.operations
    ? ` · ${plural(trajectory.executed, "look")}${failed ? `, ${failed} failed` : ""}`
    : "";
  return make("span", { class: "given" }, told + calls);
}

function openEntry(id, isStep) {
  asked.at = id;
  writeAddress(isStep);
  showAll();
}

function closeEntry() {
  asked.at = "";
  writeAddress(true);
  showAll();
}

function step(by) {
  if (!listed.length) return;
  const place = listed.findIndex((entry) => entry.id === asked.at);
  const next = Math.min(listed.length - 1, Math.max(0, place < 0 ? 0 : place + by));
  openEntry(listed[next].id, false);
}

function keepInSight() {
  const place = listed.findIndex((entry) => entry.id === asked.at);
  if (place < 0) return;
  const top = place * LINE;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + LINE > list.scrollTop + list.clientHeight) list.scrollTop = top + LINE - list.clientHeight;
}

let open; // the id of what the detail shows

function showAll() {
  applyFilters();
  const noun = plural(entries.length, "trajectory", "trajectories");
  document.getElementById("count").textContent =
    listed.length === entries.length ? noun : `${listed.length} of ${noun}`;
  rows.style.height = listed.length * LINE + "px";
  list.removeAttribute("aria-activedescendant");
  keepInSight();
  drawList();
  const entry = byId.get(asked.at) || null;
  if (open !== asked.at) {
    open = asked.at;
    showEntry(entry);
  }
  for (const filter of FILTERS) if (filter.field) filter.field.value = asked[filter.name];
  const search = document.getElementById("find");
  if (document.activeElement !== search) search.value = asked.find;
}

// ------------------------------------------------------------------------------------------------- the filters

function drawFilters() {
  const form = document.getElementById("filters");
  const search = make("input", {
    type: "search",
    id: "find",
    placeholder: "Search  ( / )",
    "aria-label": "Search question, answer and turns",
  });
  search.addEventListener("input", () => ask("find", search.value));
  form.append(search);
  for (const filter of FILTERS) {
    if (filter.counts.size < 2) continue;
    filter.field = make(
      "select",
      { name: filter.name, "aria-label": filter.name },
      make("option", { value: "" }, `${filter.name}: all`),
    );
    for (const [value, count] of filter.counts) filter.field.append(make("option", { value }, `${value} (${count})`));
    filter.field.addEventListener("change", () => ask(filter.name, filter.field.value));
    form.append(filter.field);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}

function ask(name, value) {
  asked[name] = value;
  writeAddress(false);
  list.scrollTop = 0;
  showAll();
}

// ---------------------------------------------------------------------------------------------------- the keys

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && isTyping) event.target.blur();
  else if (event.key === "Escape" && asked.at) closeEntry();
  else if (isTyping) return;
  else if (event.key === "j" || (event.key === "ArrowDown" && event.target === list)) step(1);
  else if (event.key === "k" || (event.key === "ArrowUp" && event.target === list)) step(-1);
  else if (event.key === "/") document.getElementById("find").focus();
  else return;
  event.preventDefault();
}

function onAddress() {
  readAddress();
  showAll();
}

drawFilters();
list.addEventListener("scroll", drawList, { passive: true });
addEventListener("resize", drawList);
addEventListener("keydown", onKey);
addEventListener("popstate", onAddress);
addEventListener("hashchange", onAddress);
readAddress();
if (entries.length === 1 && !location.hash) asked.at = entries[0].id; // there is nothing to choose from
showAll();
