// The list, the filters and the keys. Only visible lines are in the document, so that 10,000 stay usable.

const list = document.getElementById("list");
const rows = document.getElementById("rows");
const drawn = new Map(); // entry -> its line, for visible ones
const LINE = (isPair ? 108 : 84) + (hasSeveralPolicies ? 22 : 0); // height in pixels
const BEYOND = 6; // lines drawn above and below the visible ones

function drawList() {
  const first = Math.max(0, Math.floor(list.scrollTop / LINE) - BEYOND);
  const last = Math.min(listed.length, Math.ceil((list.scrollTop + list.clientHeight) / LINE) + BEYOND);
  const wanted = new Set(listed.slice(first, last));
  for (const [entry, line] of drawn) {
    if (wanted.has(entry)) continue;
    line.remove();
    drawn.delete(entry);
  }
  for (let index = first; index < last; index += 1) {
    const entry = listed[index];
    if (!drawn.has(entry)) {
      drawn.set(entry, lineOf(entry));
      rows.append(drawn.get(entry));
    }
    const line = drawn.get(entry);
    line.style.top = index * LINE + "px";
    line.style.height = LINE + "px";
    line.setAttribute("aria-posinset", index + 1);
    line.setAttribute("aria-setsize", listed.length);
    line.setAttribute("aria-selected", String(entry.id === selection.at));
    if (entry.id === selection.at) list.setAttribute("aria-activedescendant", line.id);
  }
}

function lineOf(entry) {
  const shown = present(entry)[0];
  const task = taskOf(shown);
  const results = entry.sides.map((one, index) => {
    const name = isPair ? SIDES[index] + " " : "";
    return make(
      "p",
      { class: "result" },
      one
        ? [marksOf(one).map((mark, place) => chip(place ? mark : name + mark, mark)), answerText(one)]
        : chip(name + "none"),
    );
  });
  return make(
    "div",
    { class: "line", role: "option", id: "line-" + entry.index, on: { click: () => openEntry(entry.id, true) } },
    task.sources.length ? make("div", { class: "thumbnail" }, imageOf(task.sources[0], "")) : null,
    make(
      "div",
      {},
      make("p", { class: "asked" }, task.question),
      hasSeveralPolicies ? make("p", { class: "played" }, rolloutOf(shown)) : null,
      results,
    ),
  );
}

function answerText(trajectory) {
  const failed = trajectory.turns.filter((turn) => turn.code).length;
  const answer = trajectory.answer === null ? `stopped: ${trajectory.stop || "running"}` : trajectory.answer;
  const calls = trajectory.operations
    ? ` · ${plural(trajectory.executed, "operation")}${failed ? `, ${failed} failed` : ""}`
    : "";
  return make("span", { class: "given" }, answer + calls);
}

function openEntry(id, isStep) {
  selection.at = id;
  writeAddress(isStep);
  showAll();
}

function closeEntry() {
  selection.at = "";
  writeAddress(true);
  showAll();
}

function step(by) {
  if (!listed.length) return;
  const index = listed.findIndex((entry) => entry.id === selection.at);
  const next = Math.min(listed.length - 1, Math.max(0, index < 0 ? 0 : index + by));
  openEntry(listed[next].id, false);
}

function scrollToSelected() {
  const index = listed.findIndex((entry) => entry.id === selection.at);
  if (index < 0) return;
  const top = index * LINE;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + LINE > list.scrollTop + list.clientHeight) list.scrollTop = top + LINE - list.clientHeight;
}

let open; // the id of the entry in the detail

function showAll() {
  applyFilters();
  const noun = plural(entries.length, "trajectory", "trajectories");
  document.getElementById("count").textContent =
    listed.length === entries.length ? noun : `${listed.length} of ${noun}`;
  rows.style.height = listed.length * LINE + "px";
  list.removeAttribute("aria-activedescendant");
  scrollToSelected();
  drawList();
  const entry = byId.get(selection.at) || null;
  if (open !== selection.at) {
    open = selection.at;
    showEntry(entry);
  }
  for (const filter of FILTERS) if (filter.field) filter.field.value = selection[filter.name];
  const search = document.getElementById("find");
  if (document.activeElement !== search) search.value = selection.find;
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
  search.addEventListener("input", () => setFilter("find", search.value));
  form.append(search);
  for (const filter of FILTERS) {
    if (filter.counts.size < 2) continue;
    filter.field = make(
      "select",
      { name: filter.name, "aria-label": filter.name },
      make("option", { value: "" }, `${filter.name}: all`),
    );
    for (const [value, count] of filter.counts) filter.field.append(make("option", { value }, `${value} (${count})`));
    filter.field.addEventListener("change", () => setFilter(filter.name, filter.field.value));
    form.append(filter.field);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}

function setFilter(name, value) {
  selection[name] = value;
  writeAddress(false);
  list.scrollTop = 0;
  showAll();
}

// ---------------------------------------------------------------------------------------------------- the keys

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && isTyping) event.target.blur();
  else if (event.key === "Escape" && selection.at) closeEntry();
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
document.getElementById("summary").addEventListener("click", () => openEntry(SUMMARY, true));
list.addEventListener("scroll", drawList, { passive: true });
addEventListener("resize", drawList);
addEventListener("keydown", onKey);
addEventListener("popstate", onAddress);
addEventListener("hashchange", onAddress);
readAddress();
if (entries.length === 1 && !location.hash) selection.at = entries[0].id; // there is only one to show
showAll();
