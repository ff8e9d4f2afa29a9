// Work in small pieces, as much of it in every frame as the budget allows, so that a slider never waits for a picture.

// createFrameWork(pieces, budget): pieces are functions, what matters most first; the budget is in milliseconds.
// renew() says that all of them are to be done again; work() goes on where it stopped, so that the piece that waited
// longest comes next even while a slider keeps moving, and returns how many are still to do.
export function createFrameWork(pieces, budget, clock = () => performance.now()) {
  let next = 0, left = pieces.length;
  return {
    renew() {
      if (left === 0) next = 0;
      left = pieces.length;
    },
    work() {
      const end = clock() + budget;
      while (left > 0) {
        pieces[next]();
        next = (next + 1) % pieces.length;
        left--;
        if (clock() >= end) break;
      }
      return left;
    },
  };
}

// One list from several, in turns: the first of each, the second of each, …
export function inTurns(...lists) {
  const merged = [];
  for (let i = 0; lists.some((list) => i < list.length); i++) for (const list of lists) if (i < list.length) merged.push(list[i]);
  return merged;
}

// The last durations of frames, in milliseconds; NaN where there was none yet.
export function createStopwatch(count = 256) {
  const durations = new Float32Array(count).fill(NaN);
  let place = 0;
  return {
    durations,
    note(milliseconds) {
      durations[place] = milliseconds;
      place = (place + 1) % count;
    },
  };
}
