// Rate and distortion recorded at some β's, read at any β in between: straight lines over log β.

export const ACTIVE = 0.005;                                         // nats: a unit whose mean has a variance of 0.01 costs about half of that
const REACH = 0.2;                                                   // of log β to either side, for the slope: one recorded step
const LEAST = 0.005;                                                 // nats of rate, below which a slope is noise

// points: [{beta, rate, distortion, rate_per_unit}, …], β ascending.
export function createRecordedCurve(points) {
  const logs = points.map(({ beta }) => Math.log(beta));
  const column = (name) => Float64Array.from(points, (point) => point[name]);
  const rates = column("rate"), distortions = column("distortion");
  const unitRates = points[0].rate_per_unit.map((_, unit) => Float64Array.from(points, (point) => point.rate_per_unit[unit]));
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  const order = unitRates.map((_, unit) => unit).sort((a, b) => total(unitRates[b]) - total(unitRates[a]));   // those that last longest first

  function placeOf(logBeta) {
    let i = 0;
    while (i < logs.length - 2 && logBeta > logs[i + 1]) i++;
    return { i, share: Math.min(1, Math.max(0, (logBeta - logs[i]) / (logs[i + 1] - logs[i]))) };
  }
  const between = (values, { i, share }) => (1 - share) * values[i] + share * values[i + 1];

  // The curve's own slope around a place: −dD/dR, or NaN where the rate does not change.
  function slopeAt(logBeta) {
    const [before, after] = [placeOf(logBeta - REACH), placeOf(logBeta + REACH)];
    const paid = between(rates, before) - between(rates, after);
    return paid > LEAST ? (between(distortions, after) - between(distortions, before)) / paid : NaN;
  }

  return {
    rates, distortions, order,
    size: unitRates.length,
    range: [points[0].beta, points[points.length - 1].beta],
    highestUnit: Math.max(...unitRates.map((values) => Math.max(...values))),
    at(beta) {
      const logBeta = Math.log(beta), place = placeOf(logBeta);
      const rate = between(rates, place), distortion = between(distortions, place);
      const units = Float64Array.from(unitRates, (values) => between(values, place));
      return { rate, distortion, elbo: -rate - distortion, units, active: units.filter((nats) => nats > ACTIVE).length, slope: slopeAt(logBeta) };
    },
  };
}
