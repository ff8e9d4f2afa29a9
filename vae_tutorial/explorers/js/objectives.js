// The two terms of the ELBO for one image, in nats, as vae_tutorial/objectives.py has them.

// KL(N(mu, diag(sigma²)) ‖ N(0, I)), in closed form.
export function rateOf(mu, logVar) {
  let sum = 0;
  for (let i = 0; i < mu.length; i++) sum += mu[i] ** 2 + Math.exp(logVar[i]) - 1 - logVar[i];
  return sum / 2;
}

// Bernoulli cross-entropy of x (from `offset`) under the logits, summed over pixels; written so that no exponential overflows.
export function distortionOf(logits, x, offset = 0) {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i];
    sum += Math.max(logit, 0) - logit * x[offset + i] + Math.log1p(Math.exp(-Math.abs(logit)));
  }
  return sum;
}

export function squaredErrorOf(image, x, offset = 0) {
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += (image[i] - x[offset + i]) ** 2;
  return sum;
}

// −log N(x; mean, σ²) in nats, summed over pixels (x from `offset`): squared error/(2σ²) + ½·D·log(2πσ²). It may be negative.
export function gaussianDistortionOf(mean, x, sigma, offset = 0) {
  return squaredErrorOf(mean, x, offset) / (2 * sigma ** 2) + 0.5 * mean.length * Math.log(2 * Math.PI * sigma ** 2);
}
