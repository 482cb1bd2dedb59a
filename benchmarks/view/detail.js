// The detail of one entry: the question, the images with their boxes, and every turn.

function showEntry(entry) {
  const detail = document.getElementById("detail");
  document.body.classList.toggle("open", Boolean(selection.at));
  detail.replaceChildren(
    make(
      "nav",
      { class: "back" },
      button("‹ all trajectories", closeEntry),
      entry ? [button("previous", () => step(-1)), button("next", () => step(1))] : null,
    ),
    ...(entry ? [make("div", { class: isPair ? "sides" : "" }, entry.sides.map(side))] : about()),
  );
  detail.scrollTop = 0;
}

function side(trajectory, index) {
  const name = isPair ? make("h2", { class: "run" }, `${SIDES[index]}: ${data.runs[index].name}`) : null;
  if (!trajectory) return make("article", {}, name, make("p", { class: "soft" }, "This run does not have this rollout."));
  const task = taskOf(trajectory);
  return make(
    "article",
    {},
    name,
    heading(trajectory, task),
    sources(trajectory, task),
    turns(trajectory, task),
    rewardOf(trajectory),
    group(trajectory),
    prompt(trajectory),
  );
}

function heading(trajectory, task) {
  const facts = [
    ["reference", task.answers.join(" or ")],
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
      marksOf(trajectory).map((mark) => chip(mark, mark)),
      chip("stop: " + (trajectory.stop || "running"), trajectory.stop === "answered" ? "" : "wrong"),
      task.category ? chip(task.category) : null,
      chip(rolloutOf(trajectory)),
      trajectory.training ? chip(trajectory.training.use, trajectory.training.use === "failed" ? "wrong" : "") : null,
      task.needs_looking === null ? null : chip(task.needs_looking ? "needs a crop" : "the overview suffices"),
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

// ------------------------------------------------------------------------------------------------------ images

// The model's views (crops, frames) are numbered through the trajectory; refused crops have a box and no number.
function viewsOf(trajectory) {
  const views = trajectory.turns.flatMap((turn) =>
    turn.looks.map((view) => ({ ...view, isFrame: view.is_frame })),
  );
  return views.map((view, index) => ({ ...view, number: index + 1 }));
}

const colour = (number) => "look look" + ((number - 1) % 6);

function boxesOn(source, trajectory, task) {
  const evidence = task.evidence.filter((one) => one.source === source);
  const refused = trajectory.turns.map((turn) => turn.refused).filter((one) => one && one.source === source);
  const views = viewsOf(trajectory).filter((view) => view.source === source && !view.isFrame);
  return [
    ...evidence.map(({ box }) => ({ box, style: "evidence" })),
    ...refused.map(({ box }) => ({ box, style: "refused", label: "×" })),
    ...views.map(({ box, number }) => ({ box, style: colour(number), label: String(number) })),
  ];
}

function sources(trajectory, task) {
  if (!task.sources.length) return null;
  const isVideo = task.media === "video";
  const figures = task.sources.map((name, source) => {
    const boxes = boxesOn(source, trajectory, task);
    const chosen = viewsOf(trajectory).filter((view) => view.isFrame && view.source === source);
    const noun = isVideo ? "frame" : "image";
    const alt = `${noun} ${source + 1}, ${plural(boxes.filter((box) => box.label).length, "box", "boxes")}`;
    const caption = isVideo || task.sources.length > 1 ? `${noun} ${source + 1}` : "";
    return make(
      "figure",
      { class: chosen.length ? "chosen" : "" },
      withBoxes(name, alt, boxes),
      make(
        "figcaption",
        {},
        caption,
        chosen.map((view) => chip(String(view.number), colour(view.number))),
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
  return task.evidence.length ? make("p", { class: "key soft" }, "Dashed: the evidence, where the answer can be read.") : null;
}

function shownAs(name, title, number) {
  const size = data.pictures.sizes[name];
  const caption = size ? `${title}, shown at ${size[0]}×${size[1]} px` : title;
  return make(
    "figure",
    {},
    imageOf(name, title),
    make("figcaption", {}, number ? chip(String(number), colour(number)) : null, caption),
  );
}

// ------------------------------------------------------------------------------------------------------- turns

function turns(trajectory, task) {
  let count = 0;
  const opening = trajectory.opening.map((name, index) =>
    shownAs(name, trajectory.opening.length > 1 ? `image ${index + 1}` : "overview"),
  );
  let number = 0;
  const shown = trajectory.turns.map((turn) => {
    number += turn.same ? 0 : 1; // a turn with several calls is one step for each
    const images = turn.looks.map((view) => {
      count += 1;
      const isInStrip = view.is_frame && view.source !== null;
      const title = isInStrip ? `frame ${view.source + 1}` : view.is_frame ? "frame" : turn.action.kind === "crop image" ? "crop" : turn.action.kind;
      return shownAs(view.picture, title, count);
    });
    return turnOf(turn, number, images, trajectory, task);
  });
  return make(
    "section",
    { class: "turns" },
    opening.length ? [make("h3", {}, "What the model saw first"), make("div", { class: "shown" }, opening)] : null,
    shown.length ? shown : make("p", { class: "soft" }, "The episode has no turns."),
  );
}

function turnOf(turn, number, images, trajectory, task) {
  return make(
    "div",
    { class: "turn" },
    make(
      "h3",
      {},
      `Turn ${number} `,
      chip(actionText(turn.action, trajectory, task), turn.code ? "wrong" : ""),
      turn.code ? chip(turn.code, "wrong code") : null,
      turn.cut ? chip("truncated by the turn’s token limit") : null,
    ),
    turn.same ? null : make("pre", { class: "text" }, turn.text || "(nothing)"),
    turn.message ? make("p", { class: "message" }, turn.message) : null,
    turn.observation
      ? make(
          "details",
          { class: "observation", open: images.length ? null : "" },
          make("summary", {}, "environment"),
          make("pre", {}, turn.observation),
        )
      : null,
    images.length ? make("div", { class: "shown" }, images) : null,
  );
}

function actionText(action, trajectory, task) {
  if (action.kind === "crop image") {
    return `crop of ${imageText(action.image, trajectory, task)} at ${action.box.map((side) => side.toFixed(2)).join(" ")}`;
  }
  return action.shown || action.kind;
}

// The name of image number `index` (from 0): the task's own images come first, then the model's views.
function imageText(index, trajectory, task) {
  const number = index - task.sources.length + 1;
  if (number > viewsOf(trajectory).length) return `image ${index + 1}, which does not exist,`;
  if (number > 0) return `view ${number}`;
  if (task.media === "video") return `frame ${index + 1}`;
  return task.sources.length > 1 ? `image ${index + 1}` : "the image";
}

function prompt(trajectory) {
  const [system, question] = trajectory.prompt.map((index) => data.texts[index]);
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
  const hasFailed = data.runs.some((run) => run.figures.some((row) => row.failed));
  const head = ["policy", "rollouts", "mean grade", "95 % interval (Wilson)", "unparsed", "RaPR", "operations"];
  if (hasFailed) head.push("failed");
  return data.runs.map((run, index) =>
    make(
      "article",
      { class: "about" },
      make("h2", {}, isPair ? `${SIDES[index]}: ${run.name}` : run.name),
      run.notice ? make("p", {}, run.notice) : null,
      table(
        head,
        run.figures.map((row) => [
          row.policy,
          String(row.count),
          row.accuracy === null ? "–" : percent(row.accuracy),
          row.accuracy === null ? "–" : `${percent(row.low)} to ${percent(row.high)}`,
          row.unparsed === null ? "–" : String(row.unparsed),
          row.rapr === null ? "–" : row.rapr.toFixed(3),
          row.calls === null ? "–" : row.calls.toFixed(2),
          ...(hasFailed ? [String(row.failed)] : []),
        ]),
      ),
      index === 0
        ? make(
            "p",
            { class: "soft" },
            "Keys: j and k move through the list, / searches, Esc goes back. The address contains the filters.",
          )
        : null,
      make("details", {}, make("summary", {}, "Configuration"), table(["", ""], Object.entries(run.facts))),
    ),
  );
}
