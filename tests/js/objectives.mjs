// The two terms of the ELBO on inputs from stdin: {logits, x, mu, logVar, sigma} → {rate, distortion, squaredError, gaussianDistortion} as JSON.
import { distortionOf, gaussianDistortionOf, rateOf, squaredErrorOf } from "../../vae_tutorial/explorers/js/objectives.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { logits, x, mu, logVar, sigma = 1 } = JSON.parse(text);
console.log(JSON.stringify({
  rate: rateOf(mu, logVar), distortion: distortionOf(logits, x), squaredError: squaredErrorOf(logits, x), gaussianDistortion: gaussianDistortionOf(logits, x, sigma),
}));
