"use strict";
// The entries, the filters and the selection. Depends on the data and the page's address; draws nothing.

const data = JSON.parse(document.getElementById("data").textContent);
const embedded = JSON.parse(document.getElementById("pictures").textContent);
const isPair = data.runs.length === 2;
const SIDES = isPair ? ["A", "B"] : [""];

// An entry is a line of the list: a trajectory or, with two runs, the same rollout of both (null where one lacks it).
const entries = [];
const byId = new Map();
const byTask = new Map(); // all trajectories of a question
for (const trajectory of data.trajectories) {
  let entry = byId.get(trajectory.id);
  if (!entry) {
    entry = { id: trajectory.id, index: entries.length, sides: data.runs.map(() => null), words: null };
    byId.set(entry.id, entry);
    entries.push(entry);
  }
  entry.sides[trajectory.run] = trajectory;
  if (!byTask.has(trajectory.task)) byTask.set(trajectory.task, []);
  byTask.get(trajectory.task).push(trajectory);
}

const present = (entry) => entry.sides.filter(Boolean);
const taskOf = (trajectory) => data.tasks[trajectory.task];
// A question without a reference answer is not graded.
const isGraded = (trajectory) => taskOf(trajectory).answers.length > 0;
const verdictOf = (trajectory) =>
  !isGraded(trajectory) ? "not graded" : trajectory.reward >= 1 ? "right" : trajectory.reward > 0 ? "partly" : "wrong";
// Its verdict, and whether its answer could not be read: that is wrong, but perhaps in its form alone.
const marksOf = (trajectory) => [verdictOf(trajectory), ...(trajectory.unparsed ? ["unparsed"] : [])];
// The rollouts of a training are filtered by their step instead of by a policy.
const policyOf = (trajectory) =>
  trajectory.training ? trajectory.training.played : trajectory.policy + (trajectory.sample === null ? "" : ", sampled");
// Its policy or step and, if it was sampled, its number among the samples of the question.
const rolloutOf = (trajectory) =>
  trajectory.training
    ? `${trajectory.policy}, rollout ${trajectory.sample + 1}`
    : policyOf(trajectory) + (trajectory.sample === null ? "" : ` ${trajectory.sample + 1}`);
const ofTraining = (read) => (trajectory) => (trajectory.training ? [read(trajectory.training)] : []);

function outcomeOf(entry) {
  const [first, second] = entry.sides;
  if (!first || !second) return first ? "only in A" : "only in B";
  if (!isGraded(first) || !isGraded(second)) return "not graded";
  const right = [first, second].map((trajectory) => verdictOf(trajectory) === "right");
  if (right[0] === right[1]) return right[0] ? "right in both" : "right in neither";
  return right[0] ? "right in A only" : "right in B only";
}

function operationsOf(trajectory) {
  const states = [trajectory.executed ? "executed" : "none executed"];
  const codes = trajectory.turns.map((turn) => turn.code).filter(Boolean);
  return codes.length ? [...states, "failed", ...codes] : states;
}

const ofEach = (read) => (entry) => [...new Set(present(entry).flatMap(read))];
const FILTERS = [
  { name: "answer", of: isPair ? (entry) => [outcomeOf(entry)] : ofEach(marksOf) },
  { name: "operations", of: ofEach(operationsOf) },
  { name: "stop", of: ofEach((trajectory) => trajectory.stop || "running") },
  { name: "category", of: ofEach((trajectory) => taskOf(trajectory).category || "none") },
  { name: "policy", of: ofEach(policyOf) },
  { name: "step", of: ofEach(ofTraining((training) => `step ${training.step}`)) },
  { name: "update", of: ofEach(ofTraining((training) => training.use)) },
];
for (const filter of FILTERS) {
  filter.counts = new Map();
  for (const entry of entries) {
    for (const value of filter.of(entry)) filter.counts.set(value, (filter.counts.get(value) || 0) + 1);
  }
}

const hasSeveralPolicies = FILTERS.some((filter) => ["policy", "step"].includes(filter.name) && filter.counts.size > 1);

// In place of an entry's id, which always contains a slash: the summary is open.
const SUMMARY = "summary";
// The selection: a value per filter ("" for all), the words to find, and the id of the open entry.
let selection = { find: "", at: "" };
let listed = entries;

function wordsOf(entry) {
  if (entry.words === null) {
    const texts = [entry.id];
    for (const trajectory of present(entry)) {
      const task = taskOf(trajectory);
      texts.push(task.question, ...task.options, ...task.answers, trajectory.answer || "", trajectory.error || "");
      for (const turn of trajectory.turns) texts.push(turn.text, turn.code || "", turn.message || "");
    }
    entry.words = texts.join("\n").toLowerCase();
  }
  return entry.words;
}

function applyFilters() {
  const chosen = FILTERS.filter((filter) => selection[filter.name]);
  const words = selection.find.toLowerCase().split(/\s+/).filter(Boolean);
  listed = entries.filter(
    (entry) =>
      chosen.every((filter) => filter.of(entry).includes(selection[filter.name])) &&
      words.every((word) => wordsOf(entry).includes(word)),
  );
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  selection = { find: given.get("find") || "", at: given.get("at") || "" };
  for (const filter of FILTERS) selection[filter.name] = given.get(filter.name) || "";
}

// `isStep`: adds an entry to the browser's history.
function writeAddress(isStep) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(selection)) if (value) given.set(name, value);
  const address = "#" + given.toString();
  if (address === location.hash || (address === "#" && !location.hash)) return;
  history[isStep ? "pushState" : "replaceState"](null, "", address);
}
