// A quiz in native HTML: radio buttons, "Check", a reason for the choice made, and all reasons on request. Nothing leaves the page.
import { button, element, listen, prepareRoot, stageName } from "./page.js";
import { followTheme } from "./theme.js";

// What is known of one question before it is answered.
export function unanswered() {
  return { chosen: null, verdict: null, explained: false };
}

// The answer after "Check": the choice is kept, and so is what was explained.
export function judge(question, answer, chosen) {
  if (chosen === null || !(chosen in question.choices)) return { ...answer, chosen: null, verdict: null };
  return { ...answer, chosen, verdict: question.choices[chosen].right ? "right" : "wrong" };
}

// What the live region says.
export function verdictText(question, { chosen, verdict }) {
  if (verdict === null) return ["", "Choose an answer first."];
  return [verdict === "right" ? "Right." : "Not yet.", question.choices[chosen].because];
}

export function scoreText(answers) {
  const right = answers.filter(({ verdict }) => verdict === "right").length;
  return right === answers.length ? `All ${right} right.` : `Right so far: ${right} of ${answers.length}.`;
}

// One question as a form of its own: a radio group's name then needs to be unique in it only, and Enter checks.
function createQuestion(question, number, signal, onChange) {
  let answer = unanswered();
  const radios = question.choices.map((_, i) => element("input", { type: "radio", name: "choice", value: i }));
  const rows = question.choices.map(({ text }, i) => element("label", {}, radios[i], element("span", {}, text)));
  const result = element("div", { class: "vae-verdict", "aria-live": "polite" });
  const reasons = element("ul", { class: "vae-reasons" });
  const explain = button("Explain every answer", signal, () => {
    answer = { ...answer, explained: !answer.explained };
    update();
  }, { "aria-expanded": "false" });
  const form = element("form", {},
    element("fieldset", {}, element("legend", {}, element("b", {}, `${number}. `), question.question), ...rows),
    element("div", { class: "vae-buttons" }, element("button", { type: "submit", class: "vae-button vae-check" }, "Check"), explain),
    result, reasons);

  function update() {
    explain.hidden = answer.verdict === null;
    explain.setAttribute("aria-expanded", String(answer.explained));
    explain.textContent = answer.explained ? "Hide the explanations" : "Explain every answer";
    reasons.hidden = !answer.explained;
    reasons.replaceChildren(...(answer.explained ? question.choices.map(({ text, right, because }) =>
      element("li", {}, element("b", {}, right ? "✓ right: " : "✗ wrong: "), element("q", {}, text), " ", because)) : []));
    if (answer.verdict) form.dataset.verdict = answer.verdict;
    else delete form.dataset.verdict;
    onChange(answer);
  }
  const say = () => {
    const [lead, reason] = verdictText(question, answer);
    result.replaceChildren(...(lead ? [element("b", {}, lead), " "] : []), reason);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();                                          // nothing is sent anywhere
    const at = radios.findIndex((radio) => radio.checked);
    answer = judge(question, answer, at < 0 ? null : at);
    say();
    update();
  }, { signal });
  form.addEventListener("change", () => {                            // another choice: the verdict was on the old one
    answer = { ...answer, verdict: null, explained: false };
    result.replaceChildren();
    update();
  }, { signal });
  return {
    form,
    restart() {
      form.reset();
      answer = unanswered();
      result.replaceChildren();
      update();
    },
    start: update,
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  prepareRoot(el, "quiz");
  el.classList.add("vae-quiz");
  followTheme(el, signal, () => {});
  function build() {
    const questions = model.get("questions"), answers = questions.map(unanswered);
    const score = element("p", { class: "vae-soft vae-score" });
    const parts = questions.map((question, i) => createQuestion(question, i + 1, signal, (answer) => {
      answers[i] = answer;
      el.answers = answers;
      score.textContent = scoreText(answers);
    }));
    const restart = button("Start again", signal, () => parts.forEach((part) => part.restart()));
    el.replaceChildren(stageName("Quiz", "", "choose, check, and read why"), ...parts.map(({ form }) => form),
      element("div", { class: "vae-quiz-end" }, score, restart));
    parts.forEach((part) => part.start());
  }
  build();
  listen(model, ["questions"], signal, build);
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
