// Which β a loss really trains, relative to the ELBO in nats per image.

// The loss as typed is  lossScale · (distortion + betaEffective · rate)  with distortion and rate in nats per image.
//   distortion term = pixelWeight · distortion     (1 summed, 1/D averaged over D pixels; times 2σ² for a bare squared error,
//                                                   because −log p(x|z) = ‖x − x̂‖²/(2σ²) + constant)
//   rate term       = beta · latentWeight · rate   (1 summed, 1/d averaged over d latent units)
// Summing over the batch instead of averaging multiplies both terms by B: the scale changes, β does not.
export function effectiveBeta({ beta, pixels, latents, batch, pixelReduction, latentReduction, batchReduction, likelihood, sigma }) {
  const pixelWeight = (pixelReduction === "mean" ? 1 / pixels : 1) * (likelihood === "squared error" ? 2 * sigma ** 2 : 1);
  const latentWeight = latentReduction === "mean" ? 1 / latents : 1;
  return {
    betaEffective: beta * latentWeight / pixelWeight,
    lossScale: pixelWeight * (batchReduction === "sum" ? batch : 1),
  };
}

// The σ at which this squared error is a plain VAE (β = 1): ‖x − x̂‖² + b·KL is 2σ²·(distortion + KL) at σ² = b/2.
export function impliedSigma(betaEffective, sigma) {
  return sigma * Math.sqrt(betaEffective);
}
