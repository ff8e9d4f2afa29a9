// Reads {codes, codebook, dimension, picture, other} from standard input; writes what codes.js makes of it.
import { readFileSync } from "node:fs";
import { changedPixels, vectorsOf } from "../../vae_tutorial/explorers/js/codes.js";

const { codes, codebook, dimension, picture, other } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify({ vectors: Array.from(vectorsOf(codes, codebook, dimension)), changed: changedPixels(picture, other, 0.05) }));
