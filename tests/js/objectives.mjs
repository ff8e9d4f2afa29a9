// The two terms of the ELBO on inputs from stdin: {logits, x, mu, logVar} → {rate, distortion, squaredError} as JSON.
import { distortionOf, rateOf, squaredErrorOf } from "../../vae_tutorial/explorers/js/objectives.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { logits, x, mu, logVar } = JSON.parse(text);
console.log(JSON.stringify({ rate: rateOf(mu, logVar), distortion: distortionOf(logits, x), squaredError: squaredErrorOf(logits, x) }));
