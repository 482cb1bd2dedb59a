// The reward of a rollout and its parts, and the other rollouts of its question. The parts are those of the data.

// Neighbouring hues are a golden angle apart, so that any number of parts have different colours.
const partColour = (index) => `hsl(${(210 + 137.5 * index) % 360} 65% 50%)`;

function partTitle(name, index) {
  const dot = make("span", { class: "dot", "aria-hidden": "true" });
  dot.style.background = partColour(index);
  return make("span", { class: "part", title: name }, dot, name);
}

// The value of a part, and its weight in the reward unless that is 1.
function partValue(trajectory, name) {
  if (!trajectory.parts || !(name in trajectory.parts)) return "–";
  const weight = trajectory.weights[name];
  const factor = String(Number(weight.toPrecision(4))).replace("-", "−");
  return signed(trajectory.parts[name]) + (weight === 1 ? "" : `\u00a0×\u00a0${factor}`);
}

const USES = {
  trained: "trained: the tokens that the model sampled",
  filtered: "left out: its advantage is 0",
  masked: "none of its tokens is in the loss",
  replayed: "replayed from an earlier step, in the place of one whose advantage is 0",
  failed: "left out: an error ended it",
  played: "held-out: not trained",
};

function rewardOf(trajectory) {
  const calls = make(
    "p",
    { class: "soft" },
    `${plural(trajectory.operations, "operation")}, ${trajectory.executed} executed.`,
  );
  if (!isGraded(trajectory) && !trajectory.training) return calls;
  const names = trajectory.parts ? data.parts : [];
  const parts = names.map((name, index) => [partTitle(name, index), partValue(trajectory, name)]);
  const rows = [["grade of the answer", figure(trajectory.reward)], ...parts];
  if (trajectory.parts) rows.push(["reward", figure(trajectory.total)]);
  if (trajectory.parts && data.groups[trajectory.group].size > 1)
    rows.push(["advantage in its group", signed(trajectory.advantage)]);
  if (trajectory.training) rows.push(["in the update", USES[trajectory.training.use]], ["tokens", trajectory.training.tokens]);
  return make(
    "section",
    { class: "paid" },
    make("h3", {}, "Grade and reward"),
    table(["", ""], rows),
    calls,
  );
}

function group(trajectory) {
  const others = byTask.get(trajectory.task);
  if (others.length < 2) return null;
  const own = others.filter((other) => other.group === trajectory.group);
  const rest = others.filter((other) => other.group !== trajectory.group);
  const figures = data.groups[trajectory.group];
  return make(
    "section",
    { class: "group" },
    own.length > 1
      ? [
          make("h3", {}, `The ${own.length} rollouts of this question`),
          make(
            "p",
            { class: "soft" },
            `RaPR ${figures.rapr === null ? "unknown" : figures.rapr.toFixed(3)}: the share of rollouts with an executed operation. Advantage: reward minus the mean of the group.`,
          ),
          rollouts(own, trajectory),
        ]
      : null,
    rest.length ? [make("h3", {}, "Other rollouts of this question"), rollouts(rest, trajectory)] : null,
  );
}

function rollouts(shown, open) {
  const head = ["rollout", "", "answer", "operations", ...data.parts.map(partTitle), "reward", "advantage"];
  const rows = shown.map((one) => {
    const name = one.training ? rolloutOf(one) : one.sample === null ? one.policy : `${one.policy} ${one.sample + 1}`;
    const go = make(
      "button",
      {
        type: "button",
        class: "link",
        "aria-current": one === open ? "true" : null,
        on: { click: () => openEntry(one.id, true) },
      },
      name,
    );
    const advantage = one.parts && data.groups[one.group].size > 1 ? signed(one.advantage) : "–";
    const cells = [
      go,
      chip(verdictOf(one), verdictOf(one)),
      one.answer === null ? "–" : one.answer,
      `${one.executed} of ${one.operations}`,
      ...data.parts.map((name) => partValue(one, name)),
      one.parts ? figure(one.total) : "–",
      advantage,
    ];
    return make(
      "tr",
      { class: one === open ? "current" : "" },
      cells.map((cell) => make("td", {}, cell)),
    );
  });
  return table(head, rows);
}
