// form[data-count="id"]: whenever it changes, the element with that id shows anew how many people fit.
"use strict";
document.querySelectorAll("form[data-count]").forEach((form) => {
  let waiting = 0;
  let latest = 0;
  async function count() {
    const mine = ++latest;
    const fields = new FormData(form);
    fields.set("act", "count");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
      if (!answer.ok || answer.redirected || mine !== latest) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(form.dataset.count);
      const shown = document.getElementById(form.dataset.count);
      if (!fresh || !shown || shown.contains(document.activeElement)) return;
      shown.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    } catch { /* the network is away: the button is there */ }
  }
  form.addEventListener("input", (event) => {
    if (event.target.matches("[name$='-new'], [name='name']")) return;
    clearTimeout(waiting);
    waiting = setTimeout(count, 500);
  });
});
