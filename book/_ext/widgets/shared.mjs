// The build writes a long text that several widgets hold, such as a network's weights, once: here it comes back to each of them.

/** Fills in every {"shared": INDEX} of a page's widget state, in place, and returns the state. */
export function restoreShared(saved) {
  const whole = (value) => saved.shared?.[value?.shared] ?? value;
  for (const { state, buffers = [] } of Object.values(saved.state)) {
    for (const [trait, value] of Object.entries(state)) state[trait] = whole(value);
    for (const buffer of buffers) buffer.data = whole(buffer.data);
  }
  return saved;
}
