// Training replay: one slider over the recorded epochs moves the map of codes, the decoded digits and the curves together.
import { asBytes, decodeHalf } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface, onDrag, onSliderKeys } from "./canvas.js";
import { PIXELS, SIDE, writeDigit } from "./digits.js";
import { createClassMap } from "./class_map.js";
import { clipped, createFrame, drawCurve, drawName, drawRules, tickText } from "./plot.js";

const PAUSE = 700;                                                   // milliseconds between two frames of "play"
const MARGIN_HISTORY = { left: 40, right: 12, top: 14, bottom: 36 };
const TICKS = [0, 1, 2, 5, 10, 20, 40, 60, 100, 200, 400];
const UNTRAINED = "0: nothing learned yet";
const GAP = 2;                                                       // pixels between two digits of the mosaic

// What zlib packed.
export async function inflate(data) {
  const stream = new Blob([asBytes(data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Frames of `size` bytes from the differences between them, in place.
export function addFrames(bytes, size) {
  for (let i = size; i < bytes.length; i++) bytes[i] += bytes[i - size];   // modulo 256
  return bytes;
}

// The index of the recorded epoch nearest to any epoch.
export function nearestFrame(epochs, epoch) {
  let best = 0;
  epochs.forEach((recorded, frame) => { if (Math.abs(recorded - epoch) < Math.abs(epochs[best] - epoch)) best = frame; });
  return best;
}

// From below the lowest value to above the highest one after the first two epochs, which would flatten all the others.
export function rangeOf(curves) {
  const late = curves.flatMap((values) => values.slice(2)), low = Math.min(...late), high = Math.max(...late);
  return [low - 0.06 * (high - low), high + 0.06 * (high - low)];
}

// Digits (values of one frame) as one mosaic, `columns` in a row.
function createMosaic(count) {
  const columns = Math.ceil(Math.sqrt(count)), size = columns * (SIDE + GAP) - GAP;
  const small = document.createElement("canvas");
  small.width = small.height = size;
  const context = small.getContext("2d");
  const image = context.createImageData(size, size);
  return (target, width, height, values, colours) => {
    for (let i = 0; i < count; i++) writeDigit(image.data, size, (i % columns) * (SIDE + GAP), Math.floor(i / columns) * (SIDE + GAP), values, colours, i * PIXELS);
    context.putImageData(image, 0, 0);
    target.imageSmoothingEnabled = false;
    target.drawImage(small, 0, 0, width, height);
  };
}

// Curves over the epochs, on an axis of √epoch because most happens early; dragging or a slider's keys choose a frame.
function createHistory({ signal, label, curves, range, last, onEpoch, onStep }) {
  const view = { epoch: 0, colours: null };
  const canvas = element("canvas", { class: "vae-active vae-area", tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": last });
  const frameOf = (width, height) => createFrame(width, height, MARGIN_HISTORY, [0, Math.sqrt(last)], range);
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { epoch, colours } = view;
    if (!colours) return;
    const frame = frameOf(width, height);
    drawRules(context, frame, colours, 28);
    context.fillStyle = colours.soft;
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "top";
    let free = -Infinity;                                                                             // right of the last number written
    for (const tick of TICKS.filter((tick) => tick <= last)) {
      const x = frame.toX(Math.sqrt(tick)), half = context.measureText(tickText(tick)).width / 2;
      if (x - half < free) continue;
      context.fillText(tickText(tick), x, frame.bottom + 4);
      free = x + half + 4;
    }
    context.textAlign = "right";
    context.fillText("epoch", frame.right, frame.bottom + 19);
    const x = frame.toX(Math.sqrt(epoch));
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, frame.top);
    context.lineTo(x, frame.bottom);
    context.stroke();
    const toHeight = (value) => clamp(frame.toY(value), frame.top, frame.bottom);
    for (const { values, role, name, at, below = false, wide = 2.2 } of curves) {
      const xs = values.map((_, i) => Math.sqrt(i));
      clipped(context, frame, () => drawCurve(context, frame, xs, values, { colour: colours[role], width: wide }));
      const named = Math.round(at * last);
      drawName(context, frame, colours, name, frame.toX(xs[named]), toHeight(values[named]) + (below ? 18 : -8), colours[role]);
      context.fillStyle = colours[role];
      context.beginPath();
      context.arc(x, toHeight(values[epoch]), 4.5, 0, 2 * Math.PI);
      context.fill();
    }
  });
  onDrag(canvas, signal, (x) => onEpoch(clamp(frameOf(canvas.clientWidth, canvas.clientHeight).fromX(x), 0, Math.sqrt(last)) ** 2));
  onSliderKeys(canvas, signal, 5, onStep);
  return {
    canvas,
    paint(epoch, colours) {
      Object.assign(view, { epoch, colours });
      canvas.setAttribute("aria-valuenow", epoch);
      canvas.setAttribute("aria-valuetext", `epoch ${epoch}: ${curves.map(({ name, values }) => `${name} ${formatNumber(values[epoch], 1)}`).join(", ")} nats`);
      surface.paint();
    },
  };
}

async function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  prepareRoot(el, "training-replay");
  const epochs = model.get("epochs"), last = epochs.at(-1), labels = asBytes(model.get("labels"));
  const codes = decodeHalf(model.get("codes")), differences = await inflate(model.get("digits"));
  const size = codes.length / epochs.length, grey = differences.length / epochs.length;
  const digits = addFrames(differences, grey);
  const terms = { rate: model.get("rate"), distortion: model.get("distortion"), loss: model.get("loss") };
  const start = { frame: model.get("frame") };
  const decoded = new Float32Array(grey);
  const view = { frame: -1, colours: null, drawMap: null };

  const choose = (frame) => setState(model, { frame: clamp(frame, 0, epochs.length - 1) });
  const onEpoch = (epoch) => choose(nearestFrame(epochs, epoch));
  const onStep = (step) => choose(model.get("frame") + step);
  const count = labels.length.toLocaleString("en");
  const mapCanvas = element("canvas", { class: "vae-square", role: "img" }), digitsCanvas = element("canvas", { class: "vae-square", role: "img" });
  const map = createSurface(mapCanvas, signal, (context, width, height) => view.colours && view.drawMap(context, width, height, { extent: model.get("extent"), colours: view.colours }));
  const mosaic = createMosaic(grey / PIXELS);
  const samples = createSurface(digitsCanvas, signal, (context, width, height) => view.colours && mosaic(context, width, height, decoded, view.colours));
  const rate = createHistory({
    signal, last, onEpoch, onStep, label: "epoch, on the curve of the rate", range: [0, 1.1 * Math.max(...terms.rate)],
    curves: [{ values: terms.rate, role: "rate", name: "rate", at: 0.6 }],
  });
  const loss = createHistory({
    signal, last, onEpoch, onStep, label: "epoch, on the curves of distortion and loss", range: rangeOf([terms.distortion, terms.loss]),
    curves: [
      { values: terms.distortion, role: "distortion", name: "distortion", at: 0.25, below: true },
      { values: terms.loss, role: "elbo", wide: 2.8, name: "loss", at: 0.25 },
    ],
  });
  const samplesStage = stageName("Samples", "vae-decoder", ""), samplesNote = samplesStage.lastChild;
  const facts = { epoch: element("dd"), rate: element("dd"), distortion: element("dd"), loss: element("dd") };
  const fact = (name, value, role) => element("div", { class: role }, element("dt", {}, name), value);
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    playButton.setAttribute("aria-pressed", "false");
  };
  const playButton = button("play", signal, () => {
    if (timer) return stop();
    if (model.get("frame") === epochs.length - 1) choose(0);
    playButton.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      onStep(1);
      if (model.get("frame") === epochs.length - 1) stop();
    }, PAUSE);
  }, { "aria-pressed": "false", title: "one recorded epoch after the other; press again to stop" });
  signal.addEventListener("abort", () => clearInterval(timer));
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, playButton, button("reset", signal, () => {
      stop();
      setState(model, start);
    })),
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Map", "vae-q", `means of q(z|x), ${count} held-out digits`), mapCanvas),
      element("div", {}, samplesStage, digitsCanvas)),
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Rate", "vae-rate", "nats, held-out digits"), rate.canvas),
      element("div", {}, stageName("Distortion and loss", "vae-distortion", "nats, the rate between them"), loss.canvas)),
    element("dl", { class: "vae-facts vae-wide" }, fact("epoch", facts.epoch), fact("rate", facts.rate, "vae-rate"),
      fact("distortion", facts.distortion, "vae-distortion"), fact("loss = −ELBO", facts.loss, "vae-elbo")),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "walk through the first ten epochs one by one. Which of the two terms moves first, and does the rate only rise?"));
  const announce = createAnnouncer(el, signal);

  const paint = () => {
    const epoch = epochs[view.frame];
    map.paint();
    samples.paint();
    rate.paint(epoch, view.colours);
    loss.paint(epoch, view.colours);
  };
  const update = () => {
    const frame = clamp(model.get("frame"), 0, epochs.length - 1), epoch = epochs[frame];
    if (frame !== view.frame) {
      const points = codes.subarray(frame * size, (frame + 1) * size);
      view.frame = frame;
      view.drawMap = createClassMap({ points, labels });
      for (let i = 0; i < grey; i++) decoded[i] = digits[frame * grey + i] / 255;
      el.values = { epoch, codes: points, rate: terms.rate[epoch], distortion: terms.distortion[epoch], loss: terms.loss[epoch] };
      facts.epoch.textContent = epoch ? String(epoch) : UNTRAINED;
      samplesNote.textContent = epoch ? `${grey / PIXELS} codes spread over the prior, decoded` : `epoch ${UNTRAINED}, press play`;
      for (const name of ["rate", "distortion", "loss"]) facts[name].textContent = `${formatNumber(el.values[name], 1)} nats`;
      mapCanvas.setAttribute("aria-label", `map of the codes of ${count} held-out digits after epoch ${epoch}`);
      digitsCanvas.setAttribute("aria-label", `${grey / PIXELS} decoded places of the prior after epoch ${epoch}`);
    }
    announce(`Epoch ${facts.epoch.textContent}: rate ${facts.rate.textContent}, distortion ${facts.distortion.textContent}.`);
    if (view.colours) paint();
  };
  const linked = parseHash(location.hash, ["epoch"]);
  if ("epoch" in linked) onEpoch(linked.epoch);
  update();
  followTheme(el, signal, (now) => {
    view.colours = now;
    paint();
  });
  listen(model, ["frame"], signal, coalesce(signal, update));
  el.decoded = decoded;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
