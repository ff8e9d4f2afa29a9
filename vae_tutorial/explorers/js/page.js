// Small pieces of page: elements, numbers as text, a live readout, widget state and deep links.

// element("p", {class: "vae-hint"}, "text", child, …); an attribute that is false or null is left out.
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// A stage of the data's way, in small capitals; what stands in `notes` keeps its own case.
export function stageName(text, role = "", ...notes) {
  return element("p", { class: `vae-stage ${role}` }, text, ...notes.map((note) => element("span", {}, note)));
}

export function math(text) {
  return element("i", { class: "vae-math" }, text);
}

export function button(text, signal, onPress, attributes = {}) {
  const node = element("button", { type: "button", class: "vae-button", ...attributes }, text);
  node.addEventListener("click", onPress, { signal });
  return node;
}

// A number with a true minus sign; tabular figures come from the style sheet.
export function formatNumber(value, decimals = 2) {
  const text = value.toFixed(decimals);
  return (/^-0\.?0*$/.test(text) ? text.slice(1) : text).replace("-", "−");
}

export function prepareRoot(el, name) {
  el.classList.add("vae-explorer");
  el.dataset.explorer = name;
  el.dataset.lmSuppressShortcuts = "true";                           // else JupyterLab's arrow keys walk off to other cells
}

// A polite live region that says the newest text at most once in a second, after things have come to rest.
export function createAnnouncer(root, signal) {
  const node = element("p", { class: "vae-live", "aria-live": "polite" });
  root.append(node);
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (node.textContent !== text) node.textContent = text; }, 1000);
  };
}

// Runs `update` once in the next animation frame, however often it is asked for.
export function coalesce(signal, update) {
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      update();
    });
  };
}

export function listen(model, names, signal, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    signal.addEventListener("abort", () => model.off(`change:${name}`, callback));
  }
}

// Sets traits, so that linked sliders follow.
export function setState(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// A round number not below the value: 1, 2 or 5 times a power of ten.
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= value * (1 - 1e-9));
}

// Numbers in an address such as …#z1=1.2&z2=-0.5, for the names given: {z1: 1.2, z2: -0.5}. Anything else is ignored.
export function parseHash(hash, names) {
  const found = {};
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const value = Number(text);
    if (names.includes(name) && text.trim() !== "" && Number.isFinite(value)) found[name] = value;
  }
  return found;
}

// Sets traits from the page's address: `links` {name in the address: trait}, `ranges` {trait: [low, high]}, `whole` the traits that count.
export function followHash(model, links, ranges, whole = []) {
  const told = {};
  for (const [name, value] of Object.entries(parseHash(location.hash, Object.keys(links)))) {
    const trait = links[name];
    told[trait] = clamp(whole.includes(trait) ? Math.round(value) : value, ...ranges[trait]);
  }
  if (Object.keys(told).length) setState(model, told);
}
