// Runs a packed gated network as a batch at several β's: {layers, weights (base64), precision, betas, inputs, most} → outputs by β as JSON.
import { readFileSync } from "node:fs";
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";

const { layers, weights, precision, betas, inputs, most } = JSON.parse(readFileSync(0, "utf8"));
const network = createNetwork(layers, new Uint8Array(Buffer.from(weights, "base64")), precision);
const run = network.createBatch(Float32Array.from(inputs.flat()), most);
const results = betas.map((beta) => {
  network.setBeta(beta);
  const rows = [];
  for (let from = 0; from < inputs.length; from += most) {
    const to = Math.min(from + most, inputs.length), out = run(from, to);
    for (let n = 0; n < to - from; n++) rows.push(Array.from(out.subarray(n * network.outputs, (n + 1) * network.outputs)));
  }
  return rows;
});
process.stdout.write(JSON.stringify(results));
