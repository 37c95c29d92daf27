// Comforts of the editor. Every page works without them; what is right or wrong the server says.
"use strict";

document.querySelectorAll("[data-scripted], [data-tools]").forEach((element) => { element.hidden = false; });

// Put words where the caret is, as if they were typed: undo works, and who listens hears of it.
function type(field, text) {
  field.focus();
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// ul[data-insert="id"]: each merge tag in it becomes a button that puts it into the field. One list has them all.
const tags = document.getElementById("merge-tags")?.cloneNode(true);
document.querySelectorAll("[data-insert]").forEach((list) => {
  list.replaceChildren(...tags.cloneNode(true).children);
  list.querySelectorAll("code").forEach((code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.addEventListener("click", () => type(document.getElementById(list.dataset.insert), code.textContent));
    code.replaceWith(button);
    button.append(code);
  });
});

// button[data-take="id"][data-into="id"]: the words of an element take the place of the field's.
document.querySelectorAll("[data-take]").forEach((button) => button.addEventListener("click", () => {
  const field = document.getElementById(button.dataset.into);
  field.select();
  type(field, document.getElementById(button.dataset.take).textContent);
}));

// [data-tools="id"]: Markdown around what is selected.
const MARKS = {
  bold: (words) => [`**${words}**`, 2],
  italic: (words) => [`*${words}*`, 1],
  link: (words) => [`[${words}](https://)`, 1],
  list: (words) => [words.split("\n").map((line) => `- ${line}`).join("\n"), 2],
};
document.querySelectorAll("[data-tools]").forEach((tools) => tools.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-mark]")?.dataset.mark;
  if (!mark) return;
  const field = document.getElementById(tools.dataset.tools);
  const [from, to] = [field.selectionStart, field.selectionEnd];
  const words = field.value.slice(from, to);
  const [text, ahead] = MARKS[mark](words);
  type(field, text);
  if (mark === "link" && words) field.setSelectionRange(from + text.length - 9, from + text.length - 1);
  else if (mark !== "list") field.setSelectionRange(from + ahead, from + ahead + words.length);
}));

// [data-cut="id"]: the start of a field, as an inbox cuts it; wide letters take the room of two.
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
document.querySelectorAll("[data-cut]").forEach((place) => {
  const field = document.getElementById(place.dataset.cut);
  const meter = document.getElementById(`${place.dataset.cut}-meter`);
  const letters = new Intl.Segmenter(field.lang, { granularity: "grapheme" });
  const show = () => {
    let room = Number(place.dataset.shown);
    let start = "";
    let width = 0;
    for (const { segment } of letters.segment(field.value)) {
      width += WIDE.test(segment) ? 2 : 1;
      if (width < room) start += segment;
    }
    meter.value = width;
    place.textContent = width > room ? `${start.trimEnd()}…` : "";
  };
  field.addEventListener("input", show);
  show();
});

// Ctrl + Enter: on to the next field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.matches("[data-counts]")) return;
  event.preventDefault();
  const fields = [...document.querySelectorAll("[data-counts]")];
  (fields[fields.indexOf(event.target) + 1] || document.querySelector(".save-bar button")).focus();
});

// form[data-autosave]: what is typed is saved a moment later, and each field says what is to be looked at.
document.querySelectorAll("form[data-autosave]").forEach((form) => {
  const status = document.getElementById("autosaved");
  const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  let waiting = 0;
  let unsaved = false;
  let busy = false;
  async function save() {
    if (busy) { waiting = setTimeout(save, 500); return; }
    busy = true;
    unsaved = false;
    status.textContent = form.dataset.saving;
    try {
      const fields = new FormData(form);
      fields.delete("fits");
      const answer = await fetch(form.dataset.autosave, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
      if (!answer.ok || answer.redirected) throw new Error("not saved");
      told(await answer.json());
    } catch {
      unsaved = true;
      status.textContent = form.dataset.away;
    }
    busy = false;
  }
  function told(said) {
    if (said.saved) {
      form.elements.seen.value = said.seen;
      status.textContent = form.dataset.saved.replace("{time}", time.format(new Date()));
      document.getElementById("done").textContent = said.done;
      document.querySelectorAll("[name=read]").forEach((read) => { read.value = said.read; });
    } else {
      unsaved = true;
      status.textContent = said.crossed ? form.dataset.crossed : form.dataset.refused;
    }
    for (const [name, remarks] of Object.entries(said.remarks)) {
      const place = form.querySelector(`[data-remarks="${name}"]`);
      const wrong = remarks.some(([severity]) => severity === "error") && !said.saved;
      form.elements[name].toggleAttribute("aria-invalid", wrong);
      if (wrong) form.elements[name].setAttribute("aria-invalid", "true");
      place.replaceChildren(...remarks.map(([, text]) => {
        const line = document.createElement("p");
        line.className = wrong ? "error" : "remark";
        line.textContent = text;
        return line;
      }));
    }
  }
  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-counts]")) return;
    unsaved = true;
    clearTimeout(waiting);
    waiting = setTimeout(save, 1200);
  });
  form.addEventListener("submit", () => { unsaved = false; clearTimeout(waiting); });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
});
