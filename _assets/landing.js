// The curtain of the first page (its border: explorables/curtain.js), and the original behind it. No library, no request.
(function () {
  "use strict";

  function start(curtain) {
    const left = curtain.querySelector(".tag.left");
    const under = curtain.querySelector(".under"), other = curtain.querySelector(".other");
    const swap = document.querySelector(".landing-swap");
    const names = [left.textContent, "the original"];
    const draw = globalThis.mfca.curtain(curtain);

    // what is left of the curtain: the JPEG, or the photograph as it was
    swap.addEventListener("click", () => {
      const original = swap.getAttribute("aria-pressed") !== "true";
      swap.setAttribute("aria-pressed", String(original));
      other.hidden = !original;
      under.hidden = original;
      left.textContent = names[Number(original)];
      draw();
    });
    curtain.dataset.ready = "yes";
  }

  document.querySelectorAll(".curtain").forEach(start);
})();
