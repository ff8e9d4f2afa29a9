// A code of two numbers along turned axes, z′ = R z: MIG, the nearest diagonal q, and two integrals over z′ on grids.

// createTurn(degrees): `there` gives z′ of z, `back` gives z of z′.
export function createTurn(degrees) {
  const c = Math.cos(degrees * Math.PI / 180), s = Math.sin(degrees * Math.PI / 180);
  return { c, s, there: (x, y) => [c * x + s * y, c * y - s * x], back: (a, b) => [c * a - s * b, s * a + c * b] };
}

// Bins of equal width over the range of the values, as disentanglement.py cuts them.
function binned(values, bins) {
  let low = Infinity, high = -Infinity;
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const scale = bins / (high - low);
  return Uint8Array.from(values, (value) => Math.min(bins - 1, Math.floor((value - low) * scale)));
}

// I(a; b) in nats from counts of pairs of whole numbers below `sizes`.
function mutualInformation(a, b, [sizeA, sizeB]) {
  const joint = new Float64Array(sizeA * sizeB), rows = new Float64Array(sizeA), columns = new Float64Array(sizeB), count = a.length;
  for (let i = 0; i < count; i++) {
    joint[a[i] * sizeB + b[i]]++;
    rows[a[i]]++;
    columns[b[i]]++;
  }
  let sum = 0;
  joint.forEach((n, cell) => { if (n) sum += n / count * Math.log(n * count / (rows[Math.floor(cell / sizeB)] * columns[cell % sizeB])); });
  return sum;
}

// The mutual information gap of codes (pairs of numbers) turned by the angle; `factors` are lists of classes, `classes` to each.
export function migOf(codes, factors, classes, degrees, bins = 20) {
  const turn = createTurn(degrees), units = [new Float32Array(codes.length / 2), new Float32Array(codes.length / 2)];
  for (let i = 0; i < units[0].length; i++) [units[0][i], units[1][i]] = turn.there(codes[2 * i], codes[2 * i + 1]);
  const cells = units.map((unit) => binned(unit, bins)), table = cells.map((unit) => factors.map((factor) => mutualInformation(unit, factor, [bins, classes])));
  const gaps = factors.map((factor, k) => Math.abs(table[0][k] - table[1][k]) / mutualInformation(factor, factor, [classes, classes]));
  return { mig: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, table };
}

// Standard deviations along the turned axes of the diagonal q′ nearest to a q with standard deviations `sigma`, and of q's shadow there.
export function matched([first, second], degrees) {
  const { c, s } = createTurn(degrees), [p, q] = [first ** -2, second ** -2];
  return {
    sigma: [(c * c * p + s * s * q) ** -0.5, (s * s * p + c * c * q) ** -0.5],
    marginal: [Math.hypot(c * first, s * second), Math.hypot(s * first, c * second)],
  };
}

// Points of a grid along the turned axes: `steps` apart, `counts` to either side of `centre`.
function gridOf(centre, steps, counts) {
  const points = [];
  for (let i = -counts[0]; i <= counts[0]; i++) {
    for (let j = -counts[1]; j <= counts[1]; j++) points.push([centre[0] + i * steps[0], centre[1] + j * steps[1]]);
  }
  return points;
}

// The work for log p(x) and the ELBO of one picture at one angle, done piece by piece: advance(n) decodes n more codes and
// returns {logEvidence, elbo} once all are done, else null. `logLikelihood(z1, z2)` decodes; mu and sigma are q(z|x)'s.
export function createMeasurement({ mu, sigma, degrees, logLikelihood, halfWidth = 6 }) {
  const turn = createTurn(degrees), centre = turn.there(...mu), q = matched(sigma, degrees), step = Math.min(...sigma);
  const own = gridOf(centre, q.sigma, [halfWidth, halfWidth]);       // of q′, a standard deviation apart
  const wide = gridOf(centre, [step, step], q.marginal.map((width) => Math.floor(halfWidth * width / step) + 1));
  let done = 0, weights = 0, expected = 0, peak = -Infinity, total = 0;
  return {
    size: own.length + wide.length,
    advance(count) {
      for (const end = Math.min(done + count, own.length + wide.length); done < end; done++) {
        const [a, b] = done < own.length ? own[done] : wide[done - own.length], value = logLikelihood(...turn.back(a, b));
        if (done < own.length) {
          const weight = Math.exp(-(((a - centre[0]) / q.sigma[0]) ** 2 + ((b - centre[1]) / q.sigma[1]) ** 2) / 2);
          weights += weight;
          expected += weight * value;
        } else {                                                     // log Σ exp, kept from overflow by the largest so far
          const logJoint = value - (a * a + b * b) / 2 - Math.log(2 * Math.PI);
          if (logJoint > peak) [total, peak] = [total * Math.exp(peak - logJoint), logJoint];
          total += Math.exp(logJoint - peak);
        }
      }
      if (done < own.length + wide.length) return null;
      const rate = q.sigma.reduce((sum, deviation, i) => sum + (deviation ** 2 + centre[i] ** 2 - 1) / 2 - Math.log(deviation), 0);
      return { logEvidence: peak + Math.log(total) + 2 * Math.log(step), elbo: expected / weights - rate };
    },
  };
}
