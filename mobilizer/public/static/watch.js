// The watch page's comforts. Everything works without them; nothing here stores or reads anything on the device.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("watched");
  const field = byId("link");
  const { link, native, title, text, told, own } = field.dataset;
  const said = new Set();

  // The address bar must not say "this is my own visit" to whoever it is passed on to.
  const clean = new URL(location.href);
  clean.searchParams.delete("own");
  clean.searchParams.delete("thanks");
  clean.searchParams.delete("c");
  if (clean.href !== location.href) history.replaceState(null, "", clean);

  const tell = (did, channel = "") => {
    if (said.has(did + channel)) return;
    said.add(did + channel);
    const body = new URLSearchParams({ did, channel, beacon: "1" });
    if (own) body.set("own", "1");
    fetch(told, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
  };

  const thank = () => {
    if (form) form.hidden = true;
    byId("thanks").hidden = false;
  };

  const film = byId("film");
  if (film) {
    film.addEventListener("play", () => tell("start"), { once: true });
    film.addEventListener("ended", () => { tell("complete"); thank(); });
  }
  byId("elsewhere")?.addEventListener("click", () => tell("start"), { once: true });
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tell("button");
      thank();
    });
  }

  for (const link of document.querySelectorAll("[data-channel]")) {
    link.addEventListener("click", () => tell("share", link.dataset.channel));
  }

  field.addEventListener("focus", () => field.select());

  if (navigator.share) {
    byId("native").hidden = false;
    byId("native").addEventListener("click", async () => {
      try {
        await navigator.share({ title, text, url: native });
        tell("share", "native");
      } catch { /* they changed their mind */ }
    });
  }

  const copied = byId("copied");
  byId("copy").hidden = false;
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      field.select();
      document.execCommand("copy");
    }
    copied.textContent = copied.dataset.done;
    tell("share", "copy");
  });
})();
