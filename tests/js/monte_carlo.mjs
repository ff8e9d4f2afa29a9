// Reads jobs [{d, information, samples, seed}, …] from standard input; writes what the explorer computes for each.
import { readFileSync } from "node:fs";
import { closedForm, createDraws, runEstimates, summarise } from "../../vae_tutorial/explorers/js/naive_estimate.js";

const results = JSON.parse(readFileSync(0, "utf8")).map(({ d, information, samples, seed }) => {
  const exact = closedForm({ d, information }), estimates = runEstimates(createDraws(d, seed), { information, samples });
  return { ...exact, ...summarise(estimates, exact), kept: estimates.kept, logRatio: Array.from(estimates.logRatio), effectives: Array.from(estimates.effective) };
});
process.stdout.write(JSON.stringify(results));
