// Integrals over one latent for a list of jobs on stdin; each {kind, …} → its numbers, as JSON.
import { createGrid, klFromGaussian, klToGaussian } from "../../vae_tutorial/explorers/js/gaussian.js";
import { createEvidence } from "../../vae_tutorial/explorers/js/evidence.js";
import { logMixture } from "../../vae_tutorial/explorers/js/mixture.js";
import { decodeFloat } from "../../vae_tutorial/explorers/js/network.js";
import { estimate, exactObjective, spreadOf } from "../../vae_tutorial/explorers/js/pathwise.js";

const KINDS = {
  divergences({ mu, sigma, ...target }) {
    const grid = createGrid(-42, 42, 4201), logP = grid.z.map((z) => logMixture(z, target));
    return { forward: klToGaussian(grid, logP, mu, sigma), reverse: klFromGaussian(grid, logP, mu, sigma) };
  },
  evidence({ logLikelihoods, extent, point, count, settings }) {
    const all = decodeFloat(Buffer.from(logLikelihoods, "base64")), points = all.length / count;
    const evidence = createEvidence(createGrid(-extent, extent, points), all.subarray(point * points, (point + 1) * points));
    return settings.map(([mu, logSigma, beta]) => ({ ...evidence.measure(mu, logSigma, beta), highest: evidence.highest(beta),
      best: evidence.best({ mu, logSigma }, { mu: [-4, 4], logSigma: [-3.5, 0.5] }, beta) }));
  },
  gradients: ({ eps, mu, sigma }) => ({ exact: exactObjective(mu, sigma), here: estimate(eps, mu, sigma), spread: spreadOf(mu, sigma) }),
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map(({ kind, ...job }) => KINDS[kind](job))));
