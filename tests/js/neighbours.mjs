// Reads {codes, d, map, labels, k} from standard input; writes the numbers that the perplexity explorer shows beside the two.
import { readFileSync } from "node:fs";
import { allNeighbours, classShape, keptNeighbours } from "../../vae_tutorial/explorers/js/neighbours.js";

const { codes, d, map, labels, k } = JSON.parse(readFileSync(0, "utf8"));
const before = classShape(codes, d, labels), after = classShape(map, 2, labels);
process.stdout.write(JSON.stringify({
  kept: keptNeighbours(allNeighbours(codes, d, k), allNeighbours(map, 2, k)),
  sizeCodes: before.size, apartCodes: before.apart, sizeMap: after.size, apartMap: after.apart,
}));
