// "Which β did you really train?": the loss as code, its reductions to choose, and the β they amount to.
import { coalesce, createAnnouncer, button, element, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { effectiveBeta, impliedSigma } from "./effective_beta.js";

const REDUCTIONS = ["sum", "mean"];
const TRAITS = { beta: "beta", pixels: "pixels", latents: "latent_dim", batch: "batch", pixelReduction: "pixel_reduction",
  latentReduction: "latent_reduction", batchReduction: "batch_reduction", likelihood: "likelihood", sigma: "sigma" };
const EXAMPLES = [
  ["the ELBO", { pixel_reduction: "sum", latent_reduction: "sum", batch_reduction: "mean", likelihood: "bernoulli" }],
  ["mean over pixels only", { pixel_reduction: "mean", latent_reduction: "sum", batch_reduction: "mean", likelihood: "bernoulli" }],
  ["all means", { pixel_reduction: "mean", latent_reduction: "mean", batch_reduction: "mean", likelihood: "bernoulli" }],
  ["squared error", { pixel_reduction: "sum", latent_reduction: "sum", batch_reduction: "mean", likelihood: "squared error" }],
];
const LOWEST = -4, HIGHEST = 4;                                      // powers of ten on the scale

// Three significant digits, without an exponent where that is readable.
export function readable(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (value >= 1e6 || value < 1e-4) return value.toExponential(2).replace("e+", " · 10^").replace("e-", " · 10^−");
  const text = value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return text.replace(/\B(?=(\d{3})+$)/g, (match, _, at) => (text.slice(0, at).includes(".") ? "" : ","));
}

// A logarithmic scale from 10⁻⁴ to 10⁴ with the β typed and the β trained.
function createScale() {
  const node = element("div", { class: "vae-scale", "aria-hidden": "true" });
  const at = (value) => `${100 * (Math.min(HIGHEST, Math.max(LOWEST, Math.log10(value))) - LOWEST) / (HIGHEST - LOWEST)}%`;
  for (let power = LOWEST; power <= HIGHEST; power += 2) {
    node.append(element("span", { class: "vae-tick", style: `left: ${at(10 ** power)}` }, power === 0 ? "1" : readable(10 ** power)));
  }
  const typed = element("span", { class: "vae-mark vae-typed" }, "typed"), trained = element("span", { class: "vae-mark vae-trained" }, "trained");
  node.append(typed, trained);
  return {
    node,
    show(beta, betaEffective) {
      typed.style.left = at(beta);
      trained.style.left = at(betaEffective);
    },
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const start = Object.fromEntries(Object.values(TRAITS).map((trait) => [trait, model.get(trait)]));
  const fields = [];
  const choice = (trait, label, options) => {
    const node = element("select", { "aria-label": label }, ...options.map(([value, text]) => element("option", { value }, text)));
    node.addEventListener("change", () => setState(model, { [trait]: node.value }), { signal });
    fields.push({ node, trait });
    return node;
  };
  const number = (trait, label, settings) => {
    const node = element("input", { type: "number", "aria-label": label, ...settings });
    node.addEventListener("change", () => {
      const value = Number(node.value);
      if (node.value !== "" && value >= Number(settings.min)) setState(model, { [trait]: settings.step === "any" ? value : Math.round(value) });
      else node.value = model.get(trait);
    }, { signal });
    fields.push({ node, trait });
    return node;
  };
  const reduction = (trait, label) => choice(trait, label, REDUCTIONS.map((name) => [name, name]));
  const line = (...content) => element("p", {}, ...content);
  const comment = (...content) => element("span", { class: "vae-comment" }, "# ", ...content);
  const betaTyped = element("b"), sigmaNote = comment("σ = ", number("sigma", "σ of the pixels", { min: 0.001, step: "any" }), " in the ELBO you compare with");
  const code = element("div", { class: "vae-code" },
    line("distortion = ", choice("likelihood", "distortion per pixel", [["bernoulli", "cross_entropy(x_logits, x)"], ["squared error", "(x - x_hat) ** 2"]]),
      ".", reduction("pixel_reduction", "reduction over pixels"), "(1) ", comment("over ", number("pixels", "D, number of pixels", { min: 1, step: 1 }), " pixels")),
    line(sigmaNote),
    line("rate = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).", reduction("latent_reduction", "reduction over latent units"), "(1) ",
      comment("over d = ", element("b", { class: "vae-d" }), " latent units")),
    line("loss = (distortion + ", betaTyped, " * rate).", reduction("batch_reduction", "reduction over the batch"), "() ",
      comment("over ", number("batch", "B, images per batch", { min: 1, step: 1 }), " images")));
  const result = element("p", { class: "vae-result" }), verdict = element("p"), formula = element("p", { class: "vae-formula" });
  const learning = element("p", { class: "vae-soft" }), gaussian = element("p", { class: "vae-soft" }), scale = createScale();
  prepareRoot(el, "beta-calculator");
  el.replaceChildren(
    element("div", { class: "vae-buttons", role: "group", "aria-label": "examples" },
      ...EXAMPLES.map(([name, values]) => button(name, signal, () => setState(model, values))), button("reset", signal, () => setState(model, start))),
    stageName("The loss as you typed it"), code,
    stageName("What you really train", "vae-rate"), result, scale.node, verdict, formula, gaussian, learning,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "average over pixels and keep the sum over latent units, a common slip. Which β would you have to type to train β = 1?"));
  const announce = createAnnouncer(el, signal);

  function update() {
    const setting = Object.fromEntries(Object.entries(TRAITS).map(([name, trait]) => [name, model.get(trait)]));
    const { betaEffective, lossScale } = effectiveBeta(setting);
    const { beta, pixels, latents, batch, sigma } = setting;
    const squared = setting.likelihood === "squared error", typed = readable(beta);
    Object.assign(el, { betaEffective, lossScale });
    for (const { node, trait } of fields) node.value = model.get(trait);
    sigmaNote.parentElement.hidden = !squared;
    betaTyped.textContent = typed;
    code.querySelector(".vae-d").textContent = latents;
    result.replaceChildren(math("β"), element("sub", {}, "effective"), " = ", element("b", {}, readable(betaEffective)));
    const ratio = betaEffective / beta;
    verdict.textContent = Math.abs(ratio - 1) < 1e-9
      ? `What you typed is what you train${Math.abs(beta - 1) < 1e-9 ? ": the ELBO itself." : "."}`
      : `The KL term counts ${readable(ratio > 1 ? ratio : 1 / ratio)} times as ${ratio > 1 ? "much" : "little"} as you typed. To train β = 1, type ${readable(1 / ratio)}.`;
    const factors = [typed], names = ["β"];
    if (setting.pixelReduction === "mean") { factors.push(`× ${readable(pixels)}`); names.push("× D"); }
    if (setting.latentReduction === "mean") { factors.push(`÷ ${readable(latents)}`); names.push("÷ d"); }
    if (squared) { factors.push(`÷ (2 · ${readable(sigma)}²)`); names.push("÷ 2σ²"); }
    formula.replaceChildren(math("β"), element("sub", {}, "effective"), ` = ${names.join(" ")} = ${factors.join(" ")} = ${readable(betaEffective)}`);
    gaussian.hidden = !squared;
    gaussian.textContent = `A Gaussian likelihood has ‖x − x̂‖² / (2σ²); left out, the factor moves into β. Read the other way round, this loss is a plain VAE (β = 1) whose pixels have σ = ${readable(impliedSigma(betaEffective, sigma))}.`;
    learning.textContent = (setting.batchReduction === "sum" ? `Summing over the batch leaves β as it is and multiplies the whole loss by ${readable(batch)}. ` : "")
      + `Loss = ${readable(lossScale)} × (distortion + ${readable(betaEffective)} × rate) in nats per image${squared ? ", but for a constant" : ""}`
      + (Math.abs(lossScale - 1) < 1e-9 ? "." : ": for plain gradient descent a learning rate changed by that factor; Adam cancels it, but for its ε.");
    scale.show(beta, betaEffective);
    announce(`Effective β is ${readable(betaEffective)}.`);
  }
  const linked = parseHash(location.hash, ["beta", "d"]), values = {};
  if (linked.beta > 0) values.beta = linked.beta;
  if (linked.d >= 1) values.latent_dim = Math.round(linked.d);
  if (Object.keys(values).length) setState(model, values);
  update();
  followTheme(el, signal, () => {});
  listen(model, Object.values(TRAITS), signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
