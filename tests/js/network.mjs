// Runs a packed network on inputs from stdin: {layers, weights (base64), precision, beta, inputs} → outputs as JSON.
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { layers, weights, precision, beta, inputs } = JSON.parse(text);
const network = createNetwork(layers, new Uint8Array(Buffer.from(weights, "base64")), precision);
if (beta) network.setBeta(beta);
console.log(JSON.stringify(inputs.map((x) => Array.from(network.forward(Float32Array.from(x))))));
