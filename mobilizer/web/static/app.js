// Small comforts for pages that work without them.
"use strict";

// [data-live="4"]: fetch this page every 4 seconds and put the element with the same id in its place,
// until the fresh one is no longer live. Focus inside it is kept. Without script the page refreshes itself.
function live(element) {
  const seconds = Number(element.dataset.live);
  if (!seconds || !element.id) return;
  setTimeout(async () => {
    let next = element;
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" }, credentials: "same-origin" });
      if (answer.redirected) { location.assign(answer.url); return; }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(element.id);
        if (!fresh) { location.reload(); return; }
        const focused = document.activeElement && element.contains(document.activeElement) ? document.activeElement.id : "";
        next = document.importNode(fresh, true);
        element.replaceWith(next);
        if (focused) document.getElementById(focused)?.focus();
        say(next);
        if (!next.dataset.live) document.title = page.title;
      }
    } catch { /* the network is away: try again next time */ }
    live(next);
  }, seconds * 1000);
}
// [data-say] of what is live: read out politely when it has changed, by the element "<id>-said" that stays.
function say(element) {
  const place = document.getElementById(`${element.id}-said`);
  if (place && element.dataset.say && place.textContent !== element.dataset.say) place.textContent = element.dataset.say;
}
document.querySelectorAll("[data-live]").forEach(live);

// [data-countdown="60"]: so many seconds, one less each second; what is live puts the true number there now and then.
setInterval(() => document.querySelectorAll("[data-countdown]").forEach((place) => {
  const left = Math.max(0, Number(place.dataset.countdown) - 1);
  place.dataset.countdown = left;
  place.textContent = new Intl.NumberFormat(document.documentElement.lang).format(left);
  const bar = place.closest("section")?.querySelector("progress");
  if (bar) bar.value = left;
}), 1000);

// select[data-zone]: nobody chose yet, so it is the zone of this browser.
document.querySelectorAll("select[data-zone]").forEach((select) => {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...select.options].some((option) => option.value === here)) select.value = here;
});

// form[data-once]: a second press of the button does nothing more.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// form[data-keep]: ask before leaving with unsaved words.
document.querySelectorAll("form[data-keep]").forEach((form) => {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
});

// select[data-submit], input[data-submit]: send the form when it changes; its button is for those without script.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// [data-counts="id"]: how many characters a field has, in the element with that id.
document.querySelectorAll("[data-counts]").forEach((field) => {
  const place = document.getElementById(field.dataset.counts);
  const show = () => { if (place) place.textContent = new Intl.NumberFormat(document.documentElement.lang).format([...field.value].length); };
  field.addEventListener("input", show);
  show();
});
