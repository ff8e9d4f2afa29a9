// Walks along paths as the explorer does: jobs from stdin, each {network, judgeEncoder, judge, eps, codes, a, b, kind} → numbers as JSON.
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";
import { createJudge, createWalk, placeOf, planeOf, STEPS } from "../../vae_tutorial/explorers/js/walk.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const load = ({ layers, weights, precision }) => createNetwork(layers, new Uint8Array(Buffer.from(weights, "base64")), precision);

console.log(JSON.stringify(JSON.parse(text).map(({ network, judgeEncoder, judge, eps, codes, a, b, kind }) => {
  const decoder = load(network), judged = createJudge(load(judgeEncoder), judge ? load(judge) : decoder, eps);
  const walk = createWalk({ kind, a, b, decoder, codes: Float32Array.from(codes), judge: judged }), plane = planeOf(a, b);
  return {
    places: walk.places, lengths: walk.lengths, near: walk.near,
    pictures: Array.from({ length: STEPS + 1 }, (_, i) => Array.from(walk.picture(i))),
    terms: Array.from({ length: STEPS + 1 }, (_, i) => walk.judged(i)), elbos: walk.elbos(),
    inPlane: walk.places.map((z) => placeOf(z, plane)), folded: walk.places.map((z) => placeOf(z, plane, true)),
  };
})));
