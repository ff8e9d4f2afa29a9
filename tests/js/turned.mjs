// A turned code measured for a list of jobs on stdin; each {kind, …} → its numbers, as JSON.
import { createNetwork, decodeFloat, decodeHalf } from "../../vae_tutorial/explorers/js/network.js";
import { gaussianDistortionOf } from "../../vae_tutorial/explorers/js/objectives.js";
import { createMeasurement, createTurn, matched, migOf } from "../../vae_tutorial/explorers/js/turned.js";

const bytes = (text) => Buffer.from(text, "base64");
const KINDS = {
  turn: ({ degrees, z }) => ({ there: createTurn(degrees).there(...z), again: createTurn(degrees).back(...createTurn(degrees).there(...z)) }),
  mig: ({ codes, factors, classes, degrees, half }) => migOf((half ? decodeHalf : decodeFloat)(bytes(codes)), factors, classes, degrees),
  matched: ({ sigma, degrees }) => matched(sigma, degrees),
  measure({ layers, weights, precision, image, noise, mu, sigma, degrees }) {
    const decoder = createNetwork(layers, bytes(weights), precision), x = decodeFloat(bytes(image));
    const measurement = createMeasurement({ mu, sigma, degrees, logLikelihood: (z1, z2) => -gaussianDistortionOf(decoder.forward([z1, z2]), x, noise) });
    let found = null, calls = 0;
    while (!found && ++calls < 1000) found = measurement.advance(40);
    return { ...found, calls, size: measurement.size };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map(({ kind, ...job }) => KINDS[kind](job))));
