// Reads {ks, values, at} from standard input; writes the recorded values read at those k.
import { readFileSync } from "node:fs";
import { readAt } from "../../vae_tutorial/explorers/js/over_log.js";

const { ks, values, at } = JSON.parse(readFileSync(0, "utf8"));
const logs = ks.map((k) => Math.log(k));
process.stdout.write(JSON.stringify(at.map((k) => readAt(logs, values, k))));
