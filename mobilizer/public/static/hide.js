// Back to the cover, which takes the place of what it hides: the way back does not show it either.
"use strict";
(() => {
  const hide = document.getElementById("hide");
  const cover = () => location.replace(hide.href);
  hide.addEventListener("click", (event) => {
    event.preventDefault();
    cover();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cover();
  });
})();
