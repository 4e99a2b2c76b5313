"use strict";
(() => {
  const cards = [...document.querySelectorAll(".card")];
  const reviewer = document.getElementById("reviewer");
  const columns = document.body.dataset.columns.split(",");
  const prefix = "osteoct-review/";
  const states = new Map();
  let current = null;
  let filter = "all";

  function recall(key) {
    try { return localStorage.getItem(prefix + key); } catch { return null; }
  }
  function keep(key, text) {
    try { localStorage.setItem(prefix + key, text); } catch { document.getElementById("unkept").hidden = false; }
  }
  const keyOf = (card) => card.dataset.case + "/" + card.dataset.result;
  const nothing = () => ({ decision: "", levels: [], reason: "", reviewer: "", decided_utc: "" });

  // Of what this browser remembers and what lies beside the result, the later one counts.
  function load(card) {
    const beside = card.dataset.decided ? JSON.parse(card.dataset.decided) : nothing();
    const text = recall(keyOf(card));
    const here = text ? JSON.parse(text) : null;
    states.set(card, here && here.decided_utc >= beside.decided_utc ? here : beside);
    card.querySelector(".reason").value = states.get(card).reason;
  }

  function change(card, changes) {
    const now = new Date().toISOString().slice(0, 19) + "Z";
    const state = { ...states.get(card), ...changes, reviewer: reviewer.value.trim(), decided_utc: now };
    states.set(card, state);
    keep(keyOf(card), JSON.stringify(state));
    show(card);
    count();
  }

  function show(card) {
    const { decision, levels } = states.get(card);
    card.classList.toggle("accepted", decision === "accept");
    card.classList.toggle("rejected", decision === "reject");
    const rejected = levels.length ? "✕ " + levels.join(", ") + " rejected" : "✕ rejected";
    card.querySelector(".verdict").textContent = decision === "accept" ? "✓ accepted" : decision ? rejected : "";
    for (const chip of card.querySelectorAll(".level")) {
      chip.setAttribute("aria-pressed", String(levels.includes(chip.dataset.level)));
    }
  }

  function count() {
    const all = [...states.values()];
    const accepted = all.filter((s) => s.decision === "accept").length;
    const rejected = all.filter((s) => s.decision === "reject").length;
    const done = document.createElement("b");
    done.textContent = `${accepted + rejected} of ${cards.length} decided`;
    document.getElementById("count").replaceChildren(done, ` · ${accepted} accepted · ${rejected} rejected`);
    document.getElementById("progress").style.width = `${(100 * (accepted + rejected)) / cards.length}%`;
  }

  function passes(card) {
    if (filter === "undecided") return !states.get(card).decision;
    return filter === "all" || card.dataset.usability === filter;
  }
  function sift(chosen) {
    filter = chosen;
    for (const card of cards) card.hidden = !passes(card);
    for (const button of document.querySelectorAll("[data-filter]")) {
      button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    }
    const left = cards.filter((card) => !card.hidden);
    document.getElementById("empty").hidden = left.length > 0;
    if (!current || current.hidden) select(left[0] || null);
  }

  function select(card) {
    if (current) current.classList.remove("current");
    current = card;
    if (!card) return;
    card.classList.add("current");
    card.scrollIntoView({ block: "nearest" });
  }
  function neighbour(step) {
    const shown = cards.filter((card) => !card.hidden);
    return shown[shown.indexOf(current) + step] || null;
  }

  function decide(card, decision) {
    change(card, { decision, levels: [] });
    if (card !== current) select(card);
    const next = decision ? neighbour(1) : null;
    if (next) select(next);
    sift(filter);
  }
  function toggle(card, level) {
    const before = states.get(card).levels;
    const order = [...card.querySelectorAll(".level")].map((chip) => chip.dataset.level);
    const levels = order.filter((name) => before.includes(name) !== (name === level));
    change(card, { decision: levels.length ? "reject" : "", levels });
    select(card);
  }

  // As osteoct reads it: quotes doubled, and no text that a spreadsheet would run.
  function cell(value) {
    const line = String(value).replace(/\s+/g, " ").trim();
    const safe = /^[=+\-@]/.test(line) ? "'" + line : line;
    return /[",]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }
  function table() {
    // A decision that lies beside the result and was taken back needs a line, or it would come again.
    const isTakenBack = (card) => Boolean(card.dataset.known && states.get(card).decided_utc);
    const rows = cards.filter((card) => states.get(card).decision || isTakenBack(card)).map((card) => {
      const state = states.get(card);
      const cells = { ...state, decision: state.decision || "undecided", case_id: card.dataset.case, levels: state.levels.join(" "), result_sha256: card.dataset.result };
      return columns.map((name) => cell(cells[name]));
    });
    return [columns, ...rows].map((row) => row.join(",") + "\r\n").join("");
  }
  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
    link.download = document.body.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const keys = {
    a: () => decide(current, "accept"),
    r: () => decide(current, "reject"),
    u: () => decide(current, ""),
    j: () => select(neighbour(1) || current),
    k: () => select(neighbour(-1) || current),
    e: () => current.querySelector(".reason").focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT") {
      if (event.key === "Enter" || event.key === "Escape") event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !current || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const card = event.target.closest(".card");
    if (button && button.dataset.filter) sift(button.dataset.filter);
    else if (button && button.id === "download") save();
    else if (card && button && button.dataset.level) toggle(card, button.dataset.level);
    else if (card && button) decide(card, button.dataset.decide);
    else if (card) select(card);
    if (button) button.blur();
  });
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".reason") && event.target.closest(".card");
    if (card) select(card);
  });
  document.addEventListener("change", (event) => {
    const card = event.target.closest(".card");
    if (card) change(card, { reason: event.target.value });
    else if (event.target === reviewer) keep("reviewer", reviewer.value);
  });

  reviewer.value = recall("reviewer") || "";
  cards.forEach((card) => { load(card); show(card); });
  count();
  sift("all");
})();
