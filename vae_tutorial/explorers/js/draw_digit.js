// Draw a digit: input → encoder → q(z|x) → z = μ + σ⊙ε → decoder → output, every stage with its numbers.
import { asBytes, createNetwork, decodeHalf, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { createPad } from "./pad.js";
import { createPosteriorMap } from "./posterior_map.js";
import { createNormal } from "./random.js";
import { distortionOf, rateOf } from "./objectives.js";

const DRAWN = -1;                                                    // the value of `digit` when the input is drawn

function drawing(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// A network as a trapezoid, wide where it has many units, with its layers' sizes beneath.
function trapezoid(kind, layers) {
  const sizes = [layers[0].in, ...layers.map((layer) => layer.out)];
  const shape = kind === "encoder" ? "M14 6 L70 38 V98 L14 130 Z" : "M14 38 L70 6 V130 L14 98 Z";
  const text = kind === "encoder" ? "q(z|x)" : "p(x|z)";
  return element("div", { class: `vae-network vae-${kind === "encoder" ? "q" : "decoder"}` },
    drawing("svg", { viewBox: "0 0 84 136", role: "img", "aria-label": `${kind}, layers of ${sizes.join(", ")} units` },
      drawing("path", { class: "vae-shape", d: shape }), drawing("path", { class: "vae-arrow", d: "M0 68 H11 M7 64 L12 68 L7 72 M72 68 H83 M79 64 L84 68 L79 72" }),
      drawing("text", { x: 42, y: 73 }, text)),
    element("p", { class: "vae-sizes" }, ...sizes.flatMap((size, i) => (i ? ["·", element("wbr"), String(size)] : [String(size)]))));
}

// Named numbers: numberList(["μ₁", "μ₂"], "vae-q") → {node, show(values)}.
function numberList(names, kind) {
  const values = names.map(() => element("dd"));
  const rows = names.map((name, i) => element("div", {}, element("dt", {}, math(name)), values[i]));
  return {
    node: element("dl", { class: `vae-facts vae-numbers ${kind}` }, ...rows),
    show: (numbers) => numbers.forEach((number, i) => { values[i].textContent = formatNumber(number); }),
  };
}

// rate + distortion = −ELBO, as numbers and as two lengths.
function createSum() {
  const values = { rate: element("dd"), distortion: element("dd"), elbo: element("dd") };
  const bars = { rate: element("span", { class: "vae-bar-rate" }), distortion: element("span", { class: "vae-bar-distortion" }) };
  const row = (name, kind) => element("div", { class: `vae-${kind}` }, element("dt", {}, name), values[kind]);
  const node = element("div", { class: "vae-sum" },
    element("dl", { class: "vae-facts" }, row("rate", "rate"), row("+ distortion", "distortion"), row("= −ELBO", "elbo")),
    element("div", { class: "vae-bar", "aria-hidden": "true" }, bars.rate, bars.distortion));
  return {
    node,
    show(rate, distortion) {
      for (const [kind, nats] of Object.entries({ rate, distortion, elbo: rate + distortion })) values[kind].textContent = `${formatNumber(nats, 1)} nats`;
      bars.rate.style.flexGrow = rate;
      bars.distortion.style.flexGrow = distortion;
    },
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const encoder = createNetwork(model.get("encoder_layers"), model.get("encoder_weights"), model.get("precision"));
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const samples = digitValues(asBytes(model.get("samples"))), sampleLabels = asBytes(model.get("sample_labels"));
  const start = { digit: model.get("digit"), eps1: 0, eps2: 0 };
  const round = (value) => Math.round(clamp(value, -3, 3) * 100) / 100;
  const setEps = ([eps1, eps2]) => setState(model, { eps1: round(eps1), eps2: round(eps2) });
  let normal = createNormal(model.get("seed")), colours = null;
  const state = { mu: [0, 0], sigma: [1, 1], eps: [0, 0], z: [0, 0], logVar: [0, 0] };

  const pad = createPad({
    samples, labels: sampleLabels, signal,
    onDrawn() {
      if (model.get("digit") === DRAWN) encodeSoon();
      else setState(model, { digit: DRAWN });
    },
    onPicked: (index) => setState(model, { digit: index }),
  });
  const map = createPosteriorMap({
    points: decodeHalf(model.get("points")), labels: asBytes(model.get("labels")), extent: model.get("extent"), signal, onEps: setEps,
  });
  const decoded = new Float32Array(PIXELS), paintDigit = createDigitPainter();
  const outputCanvas = element("canvas", { class: "vae-square", role: "img", "aria-label": "decoded digit" });
  const output = createSurface(outputCanvas, signal, (context, width, height) => paintDigit(context, width, height, decoded, colours));
  const posterior = numberList(["μ₁", "μ₂", "σ₁", "σ₂"], "vae-q"), place = numberList(["z₁", "z₂"], "vae-elbo");
  const equations = [element("p", { class: "vae-soft" }, math("z = μ + σ ⊙ ε")), element("p"), element("p")], sum = createSum(), zoom = element("span");
  const stage = (name, kind, ...content) => element("div", { class: `vae-step vae-step-${name.toLowerCase()}` }, stageName(name, kind), ...content);
  const beneath = (...content) => element("div", { class: "vae-beneath" }, ...content);
  const sampling = [
    button("sample ε", signal, () => setEps([normal(), normal()])),
    button("ε = 0", signal, () => setEps([0, 0])),
  ];
  prepareRoot(el, "draw-digit");
  el.replaceChildren(
    pad.samples,
    element("div", { class: "vae-pipeline" },
      stage("Input", "", pad.canvas, beneath(pad.seen, element("div", { class: "vae-buttons" },
        button("clear", signal, () => pad.clear()),
        button("reset", signal, () => {
          normal = createNormal(model.get("seed"));
          setState(model, start);
        })))),
      stage("Encoder", "vae-q", trapezoid("encoder", model.get("encoder_layers")), beneath(posterior.node)),
      stage("Map", "", map.wholeCanvas, beneath(map.closeCanvas, element("div", {},
        element("p", { class: "vae-soft vae-q" }, math("q(z|x)"), zoom), element("div", { class: "vae-buttons" }, ...sampling)))),
      stage("Decoder", "vae-decoder", trapezoid("decoder", model.get("decoder_layers")), beneath(place.node)),
      stage("Output", "vae-decoder", outputCanvas),
      element("div", { class: "vae-results" }, ...equations, sum.node)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "draw a 4 and close its top slowly: the ellipse walks, often over the border to the 9. Then sample ε a few times: how much does the output change?"));
  const announce = createAnnouncer(el, signal);

  function paint(moved) {
    if (moved === "all") pad.paint(colours);
    map.paint({ ...state, colours }, moved);
    zoom.textContent = `, ${formatNumber(map.zoom(), 0)} times closer`;
    output.paint();
  }
  function decode(moved) {
    state.eps = [model.get("eps1"), model.get("eps2")];
    state.z = state.mu.map((mu, i) => mu + state.sigma[i] * state.eps[i]);
    const logits = decoder.forward(state.z);
    logits.forEach((logit, i) => { decoded[i] = sigmoid(logit); });
    const rate = rateOf(state.mu, state.logVar), distortion = distortionOf(logits, el.input);
    Object.assign(el, { z: state.z, rate, distortion });
    place.show(state.z);
    sum.show(rate, distortion);
    const signed = (value) => (value < 0 ? `(${formatNumber(value)})` : formatNumber(value));
    equations.slice(1).forEach((node, i) => {
      const [mu, sigma, eps, z] = [state.mu[i], state.sigma[i], state.eps[i], state.z[i]];
      node.textContent = `${formatNumber(z, 3)} = ${formatNumber(mu, 3)} + ${formatNumber(sigma, 3)} · ${signed(eps)}`;
    });
    const digit = model.get("digit");
    announce(`${digit === DRAWN ? "Drawn digit" : `Sample ${digit}, a ${sampleLabels[digit]}`}. z is ${state.z.map((value) => formatNumber(value)).join(", ")}; `
      + `rate ${formatNumber(rate, 1)}, distortion ${formatNumber(distortion, 1)} nats.`);
    if (colours) paint(moved);
  }
  function encode() {
    const digit = model.get("digit");
    el.input = digit === DRAWN ? pad.drawnDigit() : samples.slice(digit * PIXELS, (digit + 1) * PIXELS);
    const [mu1, mu2, logVar1, logVar2] = encoder.forward(el.input);
    state.mu = [mu1, mu2];
    state.logVar = [logVar1, logVar2];
    state.sigma = state.logVar.map((value) => Math.exp(value / 2));
    Object.assign(el, { mu: state.mu, sigma: state.sigma });
    posterior.show([...state.mu, ...state.sigma]);
    pad.show(el.input, digit);
    decode("all");
  }
  const encodeSoon = coalesce(signal, encode);
  const linked = parseHash(location.hash, ["digit", "eps1", "eps2"]);
  if (linked.digit !== undefined) linked.digit = clamp(Math.round(linked.digit), 0, sampleLabels.length - 1);
  for (const name of ["eps1", "eps2"]) if (name in linked) linked[name] = round(linked[name]);
  if (Object.keys(linked).length) setState(model, linked);
  encode();
  followTheme(el, signal, (now) => {
    colours = now;
    paint("all");
  });
  listen(model, ["digit"], signal, encodeSoon);
  listen(model, ["eps1", "eps2"], signal, coalesce(signal, () => decode("eps")));
  el.decoded = decoded;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
