// The watch page's comforts. Everything works without them; nothing here stores or reads anything on the device.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("watched");
  const field = byId("link");
  const { link, native, title, text, told, stamp } = field.dataset;
  let { own } = field.dataset;
  const said = new Set();

  // The address bar must not say "this is my own visit" to whoever it is passed on to.
  const clean = new URL(location.href);
  const came = clean.searchParams.get("c") || "";
  clean.searchParams.delete("own");
  clean.searchParams.delete("thanks");
  clean.searchParams.delete("c");
  if (clean.href !== location.href) history.replaceState(null, "", clean);

  const tell = (did, channel = "") => {
    // Who said that they watched it has told of this viewing: it does not start once more.
    if (said.has(did + channel) || (did === "start" && said.has("word"))) return;
    said.add(did + channel);
    const body = new URLSearchParams({ did, channel, stamp, beacon: "1" });
    if (own) body.set("own", "1");
    navigator.sendBeacon(told, body);
  };

  // Who tries their own link is no friend: pages in one browser that lie open tell each other whose they are.
  if (window.BroadcastChannel) {
    const beside = new BroadcastChannel("pages");
    beside.addEventListener("message", ({ data }) => {
      if (data.link !== link) return;
      if (own && data.says === "whose?") beside.postMessage({ link, says: "mine" });
      if (!own && data.says === "mine") {
        own = "1";
        tell("own", came);
      }
    });
    if (!own) beside.postMessage({ link, says: "whose?" });
  }

  const thank = () => {
    if (form) form.hidden = true;
    byId("thanks").hidden = false;
  };

  const film = byId("film");
  if (film) {
    film.addEventListener("play", () => tell("start"), { once: true });
    // By what was really played: who jumps to the end has not seen it.
    const played = () => {
      let seconds = 0;
      for (let at = 0; at < film.played.length; at += 1) seconds += film.played.end(at) - film.played.start(at);
      return (100 * seconds) / film.duration;
    };
    const look = () => {
      const far = played();
      for (const point of [25, 50, 75, 95]) if (far >= point) tell(String(point));
      if (far >= 95) thank();
    };
    film.addEventListener("timeupdate", look);
    film.addEventListener("ended", look);
  }
  const elsewhere = byId("elsewhere");
  elsewhere?.addEventListener("click", (event) => {
    tell("start");
    const { player, title } = elsewhere.dataset;
    if (!player) return;
    event.preventDefault();
    const frame = document.createElement("iframe");
    // Some players refuse to play for a page that does not say where it is; they learn the site, and not the page.
    Object.assign(frame, { src: player, title, referrerPolicy: "strict-origin", allow: "autoplay; fullscreen" });
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-presentation");
    elsewhere.closest(".elsewhere").replaceWith(frame);
    frame.focus();
  });
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tell(said.has("start") ? "button" : "word");
      thank();
    });
  }

  for (const link of document.querySelectorAll("[data-channel]")) {
    link.addEventListener("click", () => tell("share", link.dataset.channel));
  }

  // Once somebody has written their own words, they go along on every channel.
  const words = byId("words");
  if (words) {
    byId("own").hidden = false;
    words.addEventListener("input", () => {
      for (const link of document.querySelectorAll("[data-form]")) {
        link.href = link.dataset.form.replace("%7Bwords%7D", encodeURIComponent(words.value.trim()));
      }
    });
  }

  field.addEventListener("focus", () => field.select());

  if (navigator.share) {
    byId("native").hidden = false;
    byId("native").addEventListener("click", async () => {
      try {
        await navigator.share({ title, text: words ? words.value.trim() : text, url: native });
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
