// Paths between two codes, as vae_tutorial/interpolation.py has them, and what lies along them.
import { sigmoid } from "./network.js";
import { distortionOf, rateOf } from "./objectives.js";

export const STEPS = 20;                                             // a path has STEPS + 1 places, t = 0, 0.05, … 1
export const PATHS = ["straight", "spherical"];

const dotOf = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
export const lengthOf = (z) => Math.sqrt(dotOf(z, z));
const mixOf = (a, b, weightA, weightB) => Array.from(a, (value, i) => weightA * value + weightB * b[i]);
const unitOf = (z) => Array.from(z, (value) => value / lengthOf(z));

// z(t): on the straight line, or turning at an even pace while the length goes in a straight line.
export function pathAt(kind, a, b, t) {
  const lengthA = lengthOf(a), lengthB = lengthOf(b);
  const angle = Math.acos(Math.min(1, Math.max(-1, dotOf(a, b) / (lengthA * lengthB)))), sine = Math.sin(angle);
  if (kind === "straight" || !(sine > 1e-6)) return mixOf(a, b, 1 - t, t);
  const length = (1 - t) * lengthA + t * lengthB;
  return mixOf(a, b, length * Math.sin((1 - t) * angle) / sine / lengthA, length * Math.sin(t * angle) / sine / lengthB);
}

// Two axes of the plane through 0, a and b. In two dimensions they are z₁ and z₂; else a lies to the left and b to the right.
export function planeOf(a, b) {
  if (a.length === 2) return { right: [1, 0], up: [0, 1] };
  const [from, to] = [unitOf(a), unitOf(b)], across = mixOf(from, to, -1, 1), along = mixOf(from, to, 1, 1);
  if (lengthOf(across) < 1e-6 || lengthOf(along) < 1e-6) {          // one direction only: any second one will do
    const least = from.reduce((best, value, i) => (Math.abs(value) < Math.abs(from[best]) ? i : best), 0);
    const other = mixOf(from.map((_, i) => Number(i === least)), from, 1, -from[least]);
    return lengthOf(across) < 1e-6 ? { right: unitOf(other), up: from } : { right: unitOf(across), up: unitOf(other) };
  }
  return { right: unitOf(across), up: unitOf(along) };
}

// The code's place in the plane. Folded, it keeps its true distance from 0: what points out of the plane is laid into it.
export function placeOf(z, { right, up }, folded = false) {
  const x = dotOf(z, right), y = dotOf(z, up), within = Math.hypot(x, y);
  const stretch = folded && within > 0 ? lengthOf(z) / within : 1;
  return [x * stretch, y * stretch];
}

// The nearest of the codes (Float32Array, d numbers each): {index, distance}.
export function nearestOf(z, codes) {
  const d = z.length;
  let best = Infinity, index = -1;
  for (let n = 0; n * d < codes.length; n++) {
    let sum = 0;
    for (let k = 0; k < d && sum < best; k++) sum += (codes[n * d + k] - z[k]) ** 2;
    if (sum < best) [best, index] = [sum, n];
  }
  return { index, distance: Math.sqrt(best) };
}

// The entropy of coins that show ink as often as the pixels are dark, nats: the floor of a grey picture's distortion.
export function greynessOf(x) {
  const part = (p) => (p > 0 ? -p * Math.log(p) : 0);
  return x.reduce((sum, p) => sum + part(p) + part(1 - p), 0);
}

// createJudge(encoder, decoder, eps) → judge(x) → {rate, distortion}: a VAE's two terms for a picture that it encodes again.
export function createJudge(encoder, decoder, eps) {
  const d = decoder.inputs, draws = eps.length / d, z = new Float32Array(d);
  return (x) => {
    const answer = encoder.forward(x), mu = answer.slice(0, d), logVar = answer.slice(d);
    let distortion = 0;
    for (let s = 0; s < draws; s++) {
      for (let k = 0; k < d; k++) z[k] = mu[k] + Math.exp(logVar[k] / 2) * eps[s * d + k];
      distortion += distortionOf(decoder.forward(z), x) / draws;
    }
    return { rate: rateOf(mu, logVar), distortion };
  };
}

// One path: codes, lengths and distances at once; pictures and their ELBO when they are asked for, and kept.
export function createWalk({ kind, a, b, decoder, codes, judge }) {
  const places = Array.from({ length: STEPS + 1 }, (_, i) => pathAt(kind, a, b, i / STEPS));
  const near = places.map((z) => nearestOf(z, codes)), pictures = places.map(() => null), terms = places.map(() => null);
  const walk = {
    places, near, pictures, terms,
    lengths: places.map(lengthOf),
    picture: (i) => (pictures[i] ??= Float32Array.from(decoder.forward(places[i]), sigmoid)),
    judged: (i) => (terms[i] ??= judge(walk.picture(i))),
    elbos: () => terms.map((term) => (term ? -(term.rate + term.distortion) : NaN)),
  };
  return walk;
}
