// Pieces of the page. Every text goes into a text node, so that no text of a model or a data set can become markup.

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const button = (text, act) => make("button", { type: "button", on: { click: act } }, text);
const chip = (text, style) => make("span", { class: "chip " + (style || "") }, text);
const figure = (value) => value.toFixed(3).replace("-", "−");
const signed = (value) => (value < 0 ? "" : "+") + figure(value);
const percent = (share) => (100 * share).toFixed(1) + " %";
const plural = (count, noun, many) => `${count} ${count === 1 ? noun : many || noun + "s"}`;

function addressOf(name) {
  if (data.pictures.folder === null) return "data:image/jpeg;base64," + embedded[name];
  return encodeURIComponent(data.pictures.folder) + "/" + name + ".jpg";
}

// The image `name`, or why it is missing. It is loaded when it becomes visible.
function imageOf(name, title) {
  const size = data.pictures.sizes[name];
  if (!size) return make("p", { class: "missing" }, data.pictures.unreadable[name] || "This image is missing.");
  const image = make("img", { loading: "lazy", decoding: "async", alt: title, width: size[0], height: size[1] });
  image.src = addressOf(name);
  image.addEventListener("click", () => image.closest("dialog") || enlarge(name, title));
  return image;
}

function enlarge(name, title) {
  const close = () => dialog.remove();
  const dialog = make(
    "dialog",
    { class: "large", on: { click: close, close } },
    imageOf(name, title),
    make("p", {}, title),
  );
  document.body.append(dialog);
  dialog.showModal();
}

// A source with boxes on it: {box, style, label}. Each box is four fractions of the source.
function withBoxes(name, title, boxes) {
  const drawn = makeSvg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const labels = [];
  for (const { box, style, label } of boxes) {
    const [x0, y0, x1, y1] = box.map((side) => 100 * side);
    const shape = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    drawn.append(makeSvg("rect", { ...shape, class: "under" }), makeSvg("rect", { ...shape, class: style }));
    if (!label) continue;
    const tag = make("span", { class: "tag " + style, "aria-hidden": "true" }, label);
    tag.style.left = Math.min(x0, 96) + "%";
    tag.style.top = Math.min(y0, 96) + "%";
    labels.push(tag);
  }
  return make("div", { class: "marked" }, imageOf(name, title), drawn, labels);
}

function table(head, rows) {
  return make(
    "div",
    { class: "scroll" },
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          head.map((text) => make("th", { scope: "col" }, text)),
        ),
      ),
      make(
        "tbody",
        {},
        rows.map((row) =>
          row instanceof Node
            ? row
            : make(
                "tr",
                {},
                row.map((cell) => make("td", {}, cell)),
              ),
        ),
      ),
    ),
  );
}
