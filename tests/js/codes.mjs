// Reads {codes, codebook, dimension, picture, side, row, column, wide, other} from standard input; writes what codes.js makes of it.
import { readFileSync } from "node:fs";
import { changedPixels, cropAround, vectorsOf } from "../../vae_tutorial/explorers/js/codes.js";

const { codes, codebook, dimension, picture, other, side, row, column, wide } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify({
  vectors: Array.from(vectorsOf(codes, codebook, dimension)),
  crop: Array.from(cropAround(picture, side, row, column, wide)),
  changed: changedPixels(picture, other, 0.05),
}));
