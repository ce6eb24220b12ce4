// The curtain of the first page: dragged by mouse or finger, moved by keyboard through a range input. No library, no request.
(function () {
  "use strict";

  function start(curtain) {
    const input = curtain.querySelector("input");
    const left = curtain.querySelector(".tag.left"), right = curtain.querySelector(".tag.right");
    const under = curtain.querySelector(".under"), other = curtain.querySelector(".other");
    const swap = document.querySelector(".landing-swap");
    const names = [left.textContent, "the original"];

    function draw() {
      const x = Number(input.value);
      curtain.style.setProperty("--x", x + "%");
      left.style.opacity = x < 22 ? 0 : 1;
      right.style.opacity = x > 72 ? 0 : 1;
      input.setAttribute("aria-valuetext", `${x} % ${left.textContent}, ${100 - x} % ${right.textContent}`);
    }

    function follow(event) {
      const box = curtain.getBoundingClientRect();
      input.value = (100 * (event.clientX - box.left)) / box.width;
      draw();
    }

    curtain.addEventListener("pointerdown", (event) => {
      curtain.setPointerCapture(event.pointerId);
      follow(event);
      input.focus({ preventScroll: true, focusVisible: false });
      event.preventDefault();
    });
    curtain.addEventListener("pointermove", (event) => {
      if (curtain.hasPointerCapture(event.pointerId)) follow(event);
    });
    input.addEventListener("input", draw);

    // what is left of the curtain: the JPEG, or the photograph as it was
    swap.addEventListener("click", () => {
      const original = swap.getAttribute("aria-pressed") !== "true";
      swap.setAttribute("aria-pressed", String(original));
      other.hidden = !original;
      under.hidden = original;
      left.textContent = names[Number(original)];
      draw();
    });

    draw();
    curtain.dataset.ready = "yes";
  }

  document.querySelectorAll(".curtain").forEach(start);
})();
