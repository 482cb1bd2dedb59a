// One entry at large: what was asked, the pictures with their boxes, and every turn.

function showEntry(entry) {
  const detail = document.getElementById("detail");
  document.body.classList.toggle("open", Boolean(asked.at));
  detail.replaceChildren(
    make(
      "nav",
      { class: "back" },
      button("‹ all trajectories", closeEntry),
      button("previous", () => step(-1)),
      button("next", () => step(1)),
    ),
    ...(entry ? [make("div", { class: isPair ? "sides" : "" }, entry.sides.map(side))] : about()),
  );
  detail.scrollTop = 0;
}

function side(trajectory, place) {
  const name = isPair ? make("h2", { class: "run" }, `${SIDES[place]}: ${data.runs[place].name}`) : null;
  if (!trajectory) return make("article", {}, name, make("p", { class: "soft" }, "This run has no such rollout."));
  const task = taskOf(trajectory);
  return make(
    "article",
    {},
    name,
    heading(trajectory, task),
    sources(trajectory, task),
    turns(trajectory, task),
    paid(trajectory),
    group(trajectory),
    prompt(trajectory),
  );
}

function heading(trajectory, task) {
  const facts = [
    ["wanted", task.answers.join(" or ")],
    ["answered", trajectory.answer === null ? "nothing" : trajectory.answer],
    ["options", task.options.join(" · ")],
    ["error", trajectory.error],
  ].filter(([, value]) => value);
  return make(
    "header",
    {},
    make(
      "p",
      { class: "chips" },
      chip(verdictOf(trajectory), verdictOf(trajectory)),
      chip("stop: " + (trajectory.stop || "running"), trajectory.stop === "answered" ? "" : "wrong"),
      task.category ? chip(task.category) : null,
      chip(policyOf(trajectory) + (trajectory.sample === null ? "" : ` ${trajectory.sample + 1}`)),
      task.needs_looking === null ? null : chip(task.needs_looking ? "needs a look" : "the overview suffices"),
    ),
    make("h2", { class: "question" }, task.question),
    make(
      "dl",
      {},
      facts.map(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]),
    ),
    make("p", { class: "soft id" }, trajectory.id),
  );
}

// ---------------------------------------------------------------------------------------------------- pictures

// Looks are numbered through the whole trajectory; refused crops are marked too, without a number.
function looksOf(trajectory) {
  const looks = trajectory.turns.flatMap((turn) =>
    turn.looks.map((look) => ({ ...look, isFrame: look.is_frame })),
  );
  return looks.map((look, place) => ({ ...look, number: place + 1 }));
}

const colour = (number) => "look look" + ((number - 1) % 6);

function marksOn(source, trajectory, task) {
  const evidence = task.evidence.filter((one) => one.source === source);
  const refused = trajectory.turns.map((turn) => turn.refused).filter((one) => one && one.source === source);
  const looks = looksOf(trajectory).filter((look) => look.source === source && !look.isFrame);
  return [
    ...evidence.map(({ box }) => ({ box, style: "evidence" })),
    ...refused.map(({ box }) => ({ box, style: "refused", label: "×" })),
    ...looks.map(({ box, number }) => ({ box, style: colour(number), label: String(number) })),
  ];
}

function sources(trajectory, task) {
  if (!task.sources.length) return null;
  const isVideo = task.media === "video";
  const figures = task.sources.map((name, source) => {
    const marks = marksOn(source, trajectory, task);
    const chosen = looksOf(trajectory).filter((look) => look.isFrame && look.source === source);
    const noun = isVideo ? "frame" : "image";
    const told = `${noun} ${source + 1}, ${plural(marks.filter((mark) => mark.label).length, "box", "boxes")}`;
    const caption = isVideo || task.sources.length > 1 ? `${noun} ${source + 1}` : "";
    return make(
      "figure",
      { class: chosen.length ? "chosen" : "" },
      marked(name, told, marks),
      make(
        "figcaption",
        {},
        caption,
        chosen.map((look) => chip(String(look.number), colour(look.number))),
      ),
    );
  });
  const style = isVideo ? "strip" : task.sources.length > 1 ? "several" : "single";
  return make(
    "div",
    {
      class: "sources " + style,
      tabindex: isVideo ? "0" : null,
      role: "group",
      "aria-label": isVideo ? "Film strip" : "Source",
    },
    figures,
    key(task),
  );
}

function key(task) {
  return task.evidence.length ? make("p", { class: "key soft" }, "Dashed: where the answer can be read.") : null;
}

function shownAs(name, told, number) {
  const size = data.pictures.sizes[name];
  const caption = size ? `${told}, shown at ${size[0]}×${size[1]} px` : told;
  return make(
    "figure",
    {},
    picture(name, told),
    make("figcaption", {}, number ? chip(String(number), colour(number)) : null, caption),
  );
}

// ------------------------------------------------------------------------------------------------------- turns

function turns(trajectory, task) {
  let looked = 0;
  const opening = trajectory.opening.map((name, place) =>
    shownAs(name, trajectory.opening.length > 1 ? `image ${place + 1}` : "overview"),
  );
  const shown = trajectory.turns.map((turn, place) => {
    const pictures = turn.looks.map((look) => {
      looked += 1;
      const told = look.is_frame ? `frame ${look.source + 1}` : turn.action.kind === "crop image" ? "crop" : turn.action.kind;
      return shownAs(look.picture, told, looked);
    });
    return turnOf(turn, place, pictures, trajectory, task);
  });
  return make(
    "section",
    { class: "turns" },
    opening.length ? [make("h3", {}, "What the model saw first"), make("div", { class: "shown" }, opening)] : null,
    shown.length ? shown : make("p", { class: "soft" }, "There is no turn."),
  );
}

function turnOf(turn, place, pictures, trajectory, task) {
  return make(
    "div",
    { class: "turn" },
    make(
      "h3",
      {},
      `Turn ${place + 1} `,
      chip(actionTold(turn.action, trajectory, task), turn.code ? "wrong" : ""),
      turn.code ? chip(turn.code, "wrong code") : null,
      turn.cut ? chip("cut by the turn’s token limit") : null,
    ),
    make("pre", { class: "text" }, turn.text || "(nothing)"),
    turn.message ? make("p", { class: "message" }, turn.message) : null,
    turn.observation
      ? make(
          "details",
          { class: "observation", open: pictures.length ? null : "" },
          make("summary", {}, "environment"),
          make("pre", {}, turn.observation),
        )
      : null,
    pictures.length ? make("div", { class: "shown" }, pictures) : null,
  );
}

function actionTold(action, trajectory, task) {
  if (action.kind === "crop image") {
    return `crop of ${pictureTold(action.image, trajectory, task)} at ${action.box.map((side) => side.toFixed(2)).join(" ")}`;
  }
  return action.shown || action.kind;
}

// What the model calls image number `place` (from 0): the task's own come first, then the looks.
function pictureTold(place, trajectory, task) {
  const look = place - task.sources.length + 1;
  if (look > looksOf(trajectory).length) return `picture ${place + 1}, which does not exist,`;
  if (look > 0) return `look ${look}`;
  if (task.media === "video") return `frame ${place + 1}`;
  return task.sources.length > 1 ? `image ${place + 1}` : "the image";
}

function prompt(trajectory) {
  const [system, question] = trajectory.prompt.map((place) => data.texts[place]);
  return make(
    "details",
    { class: "prompt" },
    make("summary", {}, "The prompt as sent"),
    system ? make("pre", {}, system) : null,
    make("pre", {}, question),
  );
}

// --------------------------------------------------------------------------------------------- nothing is open

function about() {
  const head = ["policy", "rollouts", "mean grade", "95 % interval (Wilson)", "RaPR", "operations"];
  return data.runs.map((run, place) =>
    make(
      "article",
      { class: "about" },
      make("h2", {}, isPair ? `${SIDES[place]}: ${run.name}` : run.name),
      run.notice ? make("p", {}, run.notice) : null,
      table(
        head,
        run.figures.map((row) => [
          row.policy,
          String(row.count),
          row.accuracy === null ? "–" : percent(row.accuracy),
          row.accuracy === null ? "–" : `${percent(row.low)} to ${percent(row.high)}`,
          row.rapr.toFixed(3),
          row.calls.toFixed(2),
        ]),
      ),
      place === 0
        ? make(
            "p",
            { class: "soft" },
            "Keys: j and k go through the list, / searches, Esc goes back. The address keeps the filters.",
          )
        : null,
      make("details", {}, make("summary", {}, "Configuration"), table(["", ""], Object.entries(run.facts))),
    ),
  );
}
