"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const MOST = 200;
  const WORDS = data.words;

  // Only text is ever made of what a target said: no markup is parsed after the page was.
  const make = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const hashOf = (id) => `#case-${encodeURIComponent(id)}`;
  const say = (text) => { byId("said").textContent = text; };

  data.cases.forEach((one, index) => {
    one.index = index;
    one.rule = one.id.split("[")[0];
    one.topic = one.id.split("/")[0];
  });
  const places = new Map(data.cases.map((one) => [one.id, one]));

  // Copying.
  const copy = async (button) => {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      say("Copied.");
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  const command = (text) =>
    make("span", { class: "command" }, make("code", {}, text), make("button", { type: "button", class: "copy" }, "Copy"));

  // Lists of cases, and cases, are made when they are opened.
  const list = (cases) => {
    const items = make("ul", { class: "ids" });
    const fill = (from) => {
      for (const one of cases.slice(from, from + MOST)) {
        items.append(make("li", {}, make("a", { href: hashOf(one.id) }, make("code", {}, one.id))));
      }
      if (from + MOST < cases.length) {
        const more = make("button", { type: "button" }, `Show ${count(cases.length - from - MOST, "more case")}`);
        more.addEventListener("click", () => { more.parentElement.remove(); fill(from + MOST); });
        items.append(make("li", {}, more));
      }
    };
    fill(0);
    return items;
  };
  const row = (into, name, ...content) => into.append(make("dt", {}, name), make("dd", {}, ...content));
  const told = (text) => make("span", { class: "told" }, text);

  const describe = (one) => {
    const made = make("div");
    const facts = make("dl");
    row(facts, "Rule", `${data.titles[one.title]} (${one.severity})`);
    row(facts, "Verdict", make("span", { class: `word ${one.verdict}` }, WORDS[one.verdict]), told(one.why));
    if (one.problems.length) {
      const links = one.problems.flatMap((number, at) => {
        const problem = data.problems[number];
        const link = make("a", { href: `#problem-${problem.fingerprint}` }, `${number}. ${problem.title}`);
        return at ? ["; ", link] : [link];
      });
      row(facts, "Problems", ...links);
    }
    if (one.asked.length) row(facts, "Asked by", one.asked.map((at) => data.requirements[at]).join("; "));
    row(facts, "Took", `${one.seconds.toFixed(1)} s`);
    if (one.masked) row(facts, "Masked", told(one.masked));
    row(facts, "Again", command(one.repeat));
    made.append(facts);
    for (const found of one.findings) {
      const block = make("div", { class: "sighting" });
      const rule = found.rule && found.rule !== one.rule ? `, in passing: ${found.rule}` : "";
      block.append(make("p", {}, `${found.check}, step ${found.step}${rule}`));
      const parts = make("dl");
      row(parts, "Expected", told(found.expected));
      row(parts, "Seen", told(found.seen));
      block.append(parts);
      if (found.evidence) block.append(make("pre", {}, found.evidence));
      made.append(block);
    }
    if (one.more_findings) made.append(make("p", { class: "more" }, `${count(one.more_findings, "more finding")} in the run record.`));
    if (one.story.length) made.append(make("ol", { class: "story" }, ...one.story.map((line) => make("li", {}, line))));
    if (one.more_lines) made.append(make("p", { class: "more" }, `${count(one.more_lines, "more line")} in the run record.`));
    return made;
  };
  const onceOpen = (details, fill) => details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(fill());
  });
  const entry = (one) => {
    const made = make("details", { class: "case", id: `case-${one.id}` });
    made.append(make("summary", {}, make("span", { class: `word ${one.verdict}` }, WORDS[one.verdict]), make("code", {}, one.id)));
    onceOpen(made, () => describe(one));
    return made;
  };

  // What the filters leave.
  const fields = ["query", "severity", "topic", "status", "verdict"].map(byId);
  const [query, severity, topic, status, verdict] = fields;
  const problems = [...document.querySelectorAll(".problem")];
  let open = new Set();
  const text = (one) => {
    if (one.text === undefined) {
      const found = one.findings.map((each) => `${each.expected} ${each.seen} ${each.evidence} ${each.rule}`);
      const asked = one.asked.map((at) => data.requirements[at]);
      one.text = [one.id, data.titles[one.title], one.why, ...asked, ...found, ...one.story].join("\n").toLowerCase();
    }
    return one.text;
  };
  // "asked:PCI DSS 3.5.1" leaves what that asks for, and not what PCI DSS 3.5.1.1 does.
  const asked = (wanted) => (wanted.startsWith("asked:") ? wanted.slice(6).trim() : undefined);
  const asks = (one, name) => one.asked.some((at) => data.requirements[at].toLowerCase() === name);
  const leaves = (one, wanted) =>
    (!severity.value || one.severity === severity.value) &&
    (!topic.value || one.topic === topic.value) &&
    (!verdict.value || one.verdict === verdict.value) &&
    (!wanted || (asked(wanted) === undefined ? text(one).includes(wanted) : asks(one, asked(wanted))));

  const group = (rule, cases) => {
    const found = new Map();
    for (const one of cases) found.set(one.verdict, (found.get(one.verdict) || 0) + 1);
    const counts = Object.keys(WORDS).filter((name) => found.has(name)).map((name) =>
      make("span", { class: "count" }, make("span", { class: `word ${name}` }, `${found.get(name)} ${WORDS[name]}`)));
    const made = make("details", { class: "group", "data-rule": rule });
    made.append(make("summary", {}, make("span", { class: "rule" }, make("code", {}, rule.split("/")[1] || rule), " ", data.titles[cases[0].title]), " ", ...counts));
    const fill = () => {
      const box = make("div");
      const add = (from) => {
        box.append(...cases.slice(from, from + MOST).map(entry));
        if (from + MOST < cases.length) {
          const more = make("button", { type: "button" }, `Show ${count(cases.length - from - MOST, "more case")}`);
          more.addEventListener("click", () => { more.remove(); add(from + MOST); });
          box.append(more);
        }
      };
      add(0);
      return box;
    };
    onceOpen(made, fill);
    made.addEventListener("toggle", () => { if (made.open) open.add(rule); else open.delete(rule); });
    if (open.has(rule)) { made.append(fill()); made.open = true; }
    return made;
  };

  const show = () => {
    const wanted = query.value.trim().toLowerCase();
    let seen = 0;
    for (const one of problems) {
      const stays = (!severity.value || one.dataset.severity === severity.value) &&
        (!topic.value || one.dataset.topic === topic.value) &&
        (!status.value || one.dataset.status === status.value) &&
        (!wanted || (asked(wanted) === undefined ? one.textContent.toLowerCase().includes(wanted) :
          asks(data.problems[one.dataset.number], asked(wanted))));
      one.hidden = !stays;
      seen += stays;
    }
    byId("no-problem").hidden = seen > 0 || !problems.length;
    const cases = data.cases.filter((one) => leaves(one, wanted));
    const topics = new Map();
    for (const one of cases) {
      if (!topics.has(one.topic)) topics.set(one.topic, new Map());
      const rules = topics.get(one.topic);
      if (!rules.has(one.rule)) rules.set(one.rule, []);
      rules.get(one.rule).push(one);
    }
    const made = document.createDocumentFragment();
    for (const [name, rules] of topics) {
      made.append(make("h3", {}, name.replaceAll("_", " ")));
      for (const [rule, members] of rules) made.append(group(rule, members));
    }
    if (!cases.length) made.append(make("p", {}, data.cases.length ? "No case is like that." : "No case ran."));
    byId("groups").replaceChildren(made);
    byId("shown").textContent =
      `Shown: ${seen} of ${count(problems.length, "problem")}, ${cases.length.toLocaleString("en")} of ${count(data.cases.length, "case")}.`;
  };
  let waiting;
  const form = byId("filters");
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 80); });
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => { event.preventDefault(); show(); });

  // Links to a problem or a case lead there whatever the filters leave.
  const reach = (place) => {
    for (let up = place.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    place.scrollIntoView();
    (place.tagName === "DETAILS" ? place.querySelector("summary") : place).focus({ preventScroll: true });
  };
  const follow = () => {
    let name;
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const one = name.startsWith("case-") ? places.get(name.slice(5)) : undefined;
    if (!one && !name.startsWith("problem-")) return;
    if (one ? !leaves(one, query.value.trim().toLowerCase()) : byId(name) && byId(name).hidden) form.reset();
    if (one) {
      open.add(one.rule);
      show();
      let box = [...document.querySelectorAll(".group")].find((each) => each.dataset.rule === one.rule);
      for (let more; !byId(name) && (more = box.querySelector(":scope > div > button")); ) more.click();
      byId(name).open = true;
    } else show();
    if (byId(name)) reach(byId(name));
  };
  addEventListener("hashchange", follow);

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.matches(".copy")) copy(target);
    if (target.matches(".find")) {
      form.reset();
      query.value = `asked:${target.dataset.find}`;
      show();
      reach(byId("cases"));
    }
    const link = target.closest("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(follow);
  });

  for (const one of document.querySelectorAll("details[data-cases]")) {
    onceOpen(one, () => list(one.dataset.cases.split(" ").map((at) => data.cases[at])));
  }
  for (const one of document.querySelectorAll("details.of-problem")) {
    onceOpen(one, () => list(data.problems[one.dataset.problem].cases.map((at) => data.cases[at])));
  }

  // The colours of the page; a browser may refuse to keep the choice of a file.
  const theme = byId("theme");
  const themes = ["automatic", "light", "dark"];
  const paint = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = `Colours: ${name}`;
  };
  let kept;
  try { kept = localStorage.getItem("payproof-theme"); } catch { /* as above */ }
  paint(themes.includes(kept) ? kept : "automatic");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
    paint(next);
    try { localStorage.setItem("payproof-theme", next); } catch { /* as above */ }
  });

  // On paper everything of a problem is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    if (!opened.length) opened = [...document.querySelectorAll(".problem details, .matrix")].filter((one) => !one.open);
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
    opened = [];
  });

  for (const one of [form, theme, ...document.querySelectorAll(".copy")]) one.hidden = false;
  for (const one of document.querySelectorAll(".find")) one.disabled = false;
  show();
  follow();
  performance.mark("payproof-ready");
})();
