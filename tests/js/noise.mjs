// Median-filters pictures as the denoising explorer does: {side, pictures} from stdin → filtered pictures as JSON.
import { readFileSync } from "node:fs";
import { medianFilter } from "../../vae_tutorial/explorers/js/noise.js";

const { side, pictures } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(pictures.map((picture) => {
  const out = new Float32Array(side * side);
  medianFilter(Float32Array.from(picture), side, out);
  return Array.from(out);
})));
