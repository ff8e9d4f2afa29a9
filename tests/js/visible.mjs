// What the completion and conditional explorers compute, for a list of jobs on stdin; each {kind, …} → its numbers, as JSON.
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";
import { PIXELS } from "../../vae_tutorial/explorers/js/digits.js";
import { slantOf } from "../../vae_tutorial/explorers/js/slant.js";
import { createUniform } from "../../vae_tutorial/explorers/js/random.js";
import { cellMasses, drawCell, findModes, gridCodes, visibleLogLikelihood, visiblePixels } from "../../vae_tutorial/explorers/js/visible.js";

const KINDS = {
  seen: ({ side, covered }) => Array.from(visiblePixels(side, covered)),
  modes: ({ mass, points, least }) => findModes(Float64Array.from(mass), points, least),
  slant: ({ picture }) => slantOf(picture),
  draws({ mass, count, seed }) {
    const uniform = createUniform(seed), found = new Array(mass.length).fill(0);
    for (let i = 0; i < count; i++) found[drawCell(mass, uniform())]++;
    return found;
  },
  posterior({ layers, weights, precision, points, extent, x, side, covered, least }) {
    const decoder = createNetwork(layers, new Uint8Array(Buffer.from(weights, "base64")), precision), codes = gridCodes(points, extent);
    const cells = points * points, run = decoder.createBatch(codes, points), logits = new Float32Array(cells * PIXELS);
    for (let from = 0; from < cells; from += points) logits.set(run(from, from + points), from * PIXELS);
    const softplus = logits.map((v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
    const mass = cellMasses(visibleLogLikelihood(logits, softplus, cells, x, 0, visiblePixels(side, covered)), codes);
    return { codes: Array.from(codes), mass: Array.from(mass), modes: findModes(mass, points, least) };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map(({ kind, ...job }) => KINDS[kind](job))));
