// Traversal: the units of a code one by one, in order of their KL; the decoder draws the code and, frame by frame, every unit's strip.
import { asBytes, createNetwork, decodeFloat, sigmoid } from "./network.js";
import { button, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues } from "./digits.js";
import { createUnitStrip } from "./unit_strip.js";

const REACH = 3, COLUMNS = 7;                                        // a strip's pictures: −3, −2, … 3
const TIME = 7;                                                      // milliseconds of decoding per frame
const NONE = -1;                                                     // the value of `picture` when all units were set to 0
const ORDINALS = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th"];

// The name of a unit, counted from 0: z₇.
export function unitName(index) {
  return "z" + String(index + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}

// Which strips a change leaves as they are: the strip of a unit shows all of that unit's values, whatever it is set to.
// All of them stand if nothing moved, the mover's own if one unit did, and none if more did.
export function staleRows(before, after) {
  const moved = after.flatMap((value, rank) => (value === before[rank] ? [] : [rank]));
  return after.map((_, rank) => moved.some((mover) => mover !== rank));
}

// What is said about a unit beneath its name.
export function knowledge({ active, factor, nats }) {
  if (!active) return "inactive";
  return factor ? `${factor}: ${formatNumber(nats)} nats` : "";
}

// The line of one unit: name, KL as a bar and a number, what it knows, its strip.
function createRow(rank, strip) {
  const name = element("span"), bar = element("span", { class: "vae-unit-bar" }), nats = element("span", { class: "vae-unit-nats" }), known = element("span");
  const node = element("div", { class: "vae-unit" },
    element("p", { class: "vae-unit-name" }, ORDINALS[rank], name, element("span", { class: "vae-unit-track" }, bar), nats),
    element("p", { class: "vae-unit-known" }, known), strip.canvas);
  return {
    node,
    tell(unit, most) {
      node.dataset.active = String(unit.active);
      name.replaceChildren(math(unitName(unit.unit)));
      bar.style.width = `${100 * unit.rate / most}%`;
      nats.textContent = formatNumber(unit.rate);
      known.textContent = knowledge(unit);
    },
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const variants = model.get("variants"), parts = model.get("networks"), weights = asBytes(model.get("weights")), made = [];
  const networkOf = (place) => (made[place] ??= createNetwork(parts[place].layers, weights.subarray(parts[place].from, parts[place].to), model.get("precision")));
  const size = variants[0].units.length, side = model.get("side"), pixels = side * side;
  const ranks = Array.from({ length: size }, (_, rank) => `rank${rank + 1}`);
  const codes = decodeFloat(model.get("codes")), pictures = digitValues(asBytes(model.get("pictures"))), count = pictures.length / pixels;
  const most = Math.max(...variants.flatMap(({ units }) => units.map(({ rate }) => rate)));
  const start = Object.fromEntries(["variant", "picture", ...ranks].map((name) => [name, model.get(name)]));

  const valuesNow = () => ranks.map((name) => model.get(name));
  const setRanks = (values) => setState(model, Object.fromEntries(values.map((value, rank) => [ranks[rank], Math.round(100 * value) / 100])));
  const goToPicture = () => {
    const picture = model.get("picture"), at = (model.get("variant") * count + picture) * size;
    setRanks(picture === NONE ? new Array(size).fill(0) : Array.from(codes.subarray(at, at + size)));
  };

  const decoded = new Float32Array(pixels), strips = new Float32Array(size * COLUMNS * pixels);
  const code = new Float32Array(size), probe = new Float32Array(size);   // by unit, not by rank
  const wanted = new Int32Array(size), done = new Int32Array(size * COLUMNS).fill(-1);  // versions of rows, and of their pictures
  let shown = { variant: NONE, values: new Array(size).fill(NaN) }, network = null, colours = null, frame = 0, next = 0;

  const paintDecoded = createDigitPainter(side);
  const picture = element("canvas", { class: "vae-square", role: "img" });
  const large = createSurface(picture, signal, (context, width, height) => colours && paintDecoded(context, width, height, decoded, colours));
  const rows = ranks.map((name, rank) => {
    const values = strips.subarray(rank * COLUMNS * pixels, (rank + 1) * COLUMNS * pixels);
    const strip = createUnitStrip({ side, values, reach: REACH, signal, onChoose: (value) => setState(model, { [name]: value }) });
    return { values, strip, ...createRow(rank, strip) };
  });
  const picks = Array.from({ length: count }, (_, index) => {
    const canvas = element("canvas", { "aria-hidden": "true" }), paintPick = createDigitPainter(side);
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintPick(context, width, height, pictures, colours, index * pixels));
    const node = button("", signal, () => startFrom(index), { "aria-label": `start from picture ${index + 1}` });
    node.classList.replace("vae-button", "vae-sample");
    node.append(canvas);
    return { node, paint: surface.paint };
  });
  const startFrom = (index) => {
    setState(model, { picture: index });
    goToPicture();                                                   // also where the picture is the one before: back to its code
  };
  const zero = button("z = 0", signal, () => startFrom(NONE));
  const facts = { model: element("dd"), active: element("dd"), rate: element("dd") };
  const fact = (name, value, kind = "") => element("div", { class: kind }, element("dt", {}, name), value);
  prepareRoot(el, "traversal");
  el.replaceChildren(
    element("div", { class: "vae-traversal" },
      element("div", { class: "vae-shown" },
        element("div", {}, stageName("Decoder", "vae-decoder", math("p(x|z)")), picture),
        element("div", {}, element("dl", { class: "vae-facts" }, fact("model", facts.model), fact("in use", facts.active), fact("KL", facts.rate, "vae-rate")),
          stageName("Start from"), element("div", { class: "vae-picks" }, ...picks.map(({ node }) => node)),
          element("div", { class: "vae-buttons" }, zero, button("reset", signal, () => setState(model, start))))),
      element("div", {}, stageName("Units", "vae-q", "by KL, in nats; beneath, what each knows most about; press a picture to go there"),
        element("div", { class: "vae-units" }, ...rows.map(({ node }) => node)))),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "move every slider from end to end. Which do nothing? Which change one thing only? Then choose another model: what has become of the rest?"));
  const announce = createAnnouncer(el, signal);

  function decodeInto(values, at, z) {
    const logits = network.forward(z);
    for (let i = 0; i < pixels; i++) values[at + i] = sigmoid(logits[i]);
  }
  // Goes round the strips and decodes what is out of date, so that a slider that keeps moving starves no strip.
  function fill() {
    const end = performance.now() + TIME, touched = new Set(), { units } = variants[shown.variant];
    let fresh = 0;
    while (fresh < done.length && performance.now() < end) {
      const rank = Math.floor(next / COLUMNS), column = next % COLUMNS;
      if (done[next] === wanted[rank]) {
        fresh++;
      } else {
        probe.set(code);
        probe[units[rank].unit] = (column / (COLUMNS - 1) * 2 - 1) * REACH;
        decodeInto(rows[rank].values, column * pixels, probe);
        done[next] = wanted[rank];
        fresh = 1;
        touched.add(rank);
        if (colours) rows[rank].strip.write(column);
      }
      next = (next + 1) % done.length;
    }
    if (colours) touched.forEach((rank) => rows[rank].strip.paint());
    el.dataset.filled = String(fresh >= done.length);
    frame = fresh < done.length ? requestAnimationFrame(fill) : 0;
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));

  function update() {
    const variant = variants[model.get("variant")], values = valuesNow(), changed = model.get("variant") !== shown.variant;
    const stale = changed ? values.map(() => true) : staleRows(shown.values, values);
    const moved = values.findIndex((value, rank) => value !== shown.values[rank]);
    shown = { variant: model.get("variant"), values };
    if (changed) tellModel(variant);
    variant.units.forEach(({ unit }, rank) => { code[unit] = values[rank]; });
    stale.forEach((isStale, rank) => { wanted[rank] += Number(isStale); });
    decodeInto(decoded, 0, code);
    rows.forEach(({ strip }, rank) => strip.canvas.setAttribute("aria-label",
      `${ORDINALS[rank]} unit by KL, ${unitName(variant.units[rank].unit)}, from −3 to 3; it stands at ${formatNumber(values[rank])}`));
    picture.setAttribute("aria-label", `decoded picture, ${variant.label}`);
    [...picks.map(({ node }) => node), zero].forEach((node, index) => node.setAttribute("aria-pressed", String(model.get("picture") === (node === zero ? NONE : index))));
    el.values = { variant: shown.variant, z: Array.from(code) };
    if (changed || moved < 0) announce(`${variant.label}: ${facts.active.textContent}.`);
    else announce(`${ORDINALS[moved]} unit by KL, ${unitName(variant.units[moved].unit)}, ${knowledge(variant.units[moved]) || "active"}. Set to ${formatNumber(values[moved])}.`);
    if (colours) paint();
    if (stale.includes(true)) el.dataset.filled = "false";
    frame ||= requestAnimationFrame(fill);
  }
  function tellModel(variant) {
    network = networkOf(variant.network);
    if (variant.beta !== null) network.setBeta(variant.beta);
    rows.forEach(({ tell }, rank) => tell(variant.units[rank], most));
    facts.model.textContent = variant.label;
    facts.active.textContent = `${variant.units.filter(({ active }) => active).length} of ${size} units`;
    facts.rate.textContent = `${formatNumber(variant.units.reduce((sum, { rate }) => sum + rate, 0), 1)} nats`;
  }
  function paint() {
    large.paint();
    const { units } = variants[shown.variant];
    rows.forEach(({ strip }, rank) => strip.paint({ value: shown.values[rank], active: units[rank].active, colours }));
  }
  followHash(model, { model: "variant", picture: "picture" }, { variant: [0, variants.length - 1], picture: [NONE, count - 1] }, ["variant", "picture"]);
  if (Object.keys(parseHash(location.hash, ["model", "picture"])).length) goToPicture();
  followHash(model, Object.fromEntries(ranks.map((name) => [name, name])), Object.fromEntries(ranks.map((name) => [name, [-REACH, REACH]])));
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    picks.forEach((pick) => pick.paint());
    paint();
  });
  listen(model, ["variant"], signal, goToPicture);
  listen(model, ["variant", "picture", ...ranks], signal, coalesce(signal, update));
  Object.assign(el, { decoded, strips });
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
