import assert from "node:assert/strict";
import { judge, scoreText, unanswered, verdictText } from "../../vae_tutorial/explorers/js/quiz.js";

const question = { question: "Which?", choices: [{ text: "a", right: false, because: "No." }, { text: "b", right: true, because: "Yes." }] };

// nothing chosen: nothing judged, and the reader is told what to do
const start = unanswered();
assert.deepEqual(start, { chosen: null, verdict: null, explained: false });
assert.deepEqual(judge(question, start, null), start);
assert.deepEqual(judge(question, start, 2), start);
assert.deepEqual(verdictText(question, start), ["", "Choose an answer first."]);

// a wrong and a right choice, each with its own reason; asking does not change the question
const wrong = judge(question, start, 0), right = judge(question, { ...wrong, explained: true }, 1);
assert.deepEqual(wrong, { chosen: 0, verdict: "wrong", explained: false });
assert.deepEqual(verdictText(question, wrong), ["Not yet.", "No."]);
assert.deepEqual(right, { chosen: 1, verdict: "right", explained: true });
assert.deepEqual(verdictText(question, right), ["Right.", "Yes."]);
assert.deepEqual(start, unanswered());

assert.equal(scoreText([start, wrong]), "Right so far: 0 of 2.");
assert.equal(scoreText([right, wrong]), "Right so far: 1 of 2.");
assert.equal(scoreText([right, right]), "All 2 right.");
