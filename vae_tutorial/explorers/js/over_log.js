// Numbers recorded at some k, read at any k in between: straight lines over log k.

// logs: the logarithms of the recorded k, ascending; values: what was recorded there.
export function readAt(logs, values, k) {
  const place = Math.log(k);
  let i = 0;
  while (i < logs.length - 2 && place > logs[i + 1]) i++;
  const share = Math.min(1, Math.max(0, (place - logs[i]) / (logs[i + 1] - logs[i])));
  return (1 - share) * values[i] + share * values[i + 1];
}
