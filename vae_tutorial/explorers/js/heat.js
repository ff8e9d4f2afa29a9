// Masses on a grid as a heat map.

function rgb(colour) {
  const number = parseInt(colour.replace("#", ""), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

// A heat map of masses (points × points): from the card's colour to the posterior's, by the root so that small masses show.
export function createHeat(points) {
  const small = document.createElement("canvas");
  small.width = small.height = points;
  const context = small.getContext("2d"), image = context.createImageData(points, points);
  return (target, width, height, mass, colours) => {
    const most = mass.reduce((a, b) => Math.max(a, b), 0), from = rgb(colours.card), to = rgb(colours.posterior);
    for (let i = 0; i < mass.length; i++) {
      const share = most ? Math.sqrt(mass[i] / most) : 0;
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = from[c] + (to[c] - from[c]) * share;
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    target.imageSmoothingEnabled = false;
    target.drawImage(small, 0, 0, width, height);
  };
}
