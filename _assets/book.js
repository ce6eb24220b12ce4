// Small help on every page: all answers are open on paper, formulas fit, and search results show no TeX. No library, no request.
(function () {
  "use strict";

  // on paper nothing can be opened, so hints and answers are; the folded code stays folded
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not(.hide):not([open])")];
    opened.forEach((details) => { details.open = true; });
    document.querySelectorAll("img[loading=lazy]").forEach((image) => { image.loading = "eager"; });
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((details) => { details.open = false; });
  });

  // a formula that is a little too wide for a phone is set a little smaller; one that is far too wide can be moved sideways
  const LEAST = 0.8;
  function fit() {
    document.querySelectorAll("mjx-container[display]").forEach((formula) => {
      formula.style.removeProperty("font-size");
      const part = formula.clientWidth / formula.scrollWidth;
      if (part > 0 && part < 1) {
        const size = parseFloat(getComputedStyle(formula).fontSize) * Math.max(part - 0.005, LEAST);
        formula.style.setProperty("font-size", `${size.toFixed(2)}px`, "important");
      }
    });
  }
  window.addEventListener("load", async () => {
    if (!window.MathJax?.startup?.promise) return;
    await window.MathJax.startup.promise;
    await document.fonts.ready;
    fit();
    window.addEventListener("resize", fit);
    document.addEventListener("toggle", fit, true);
  });

  // the search cuts its excerpts from pages that have not been typeset
  function plain(text) {
    return text.replace(/\\\(|\\\)|\\\[|\\\]/g, "")
      .replace(/\\(?:hat|bar|tilde|mathrm|mathbf|operatorname|text)\b\s*/g, "")
      .replace(/\\([a-zA-Z]+)/g, "$1")
      .replace(/[{}]/g, "");
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Search === "undefined") return;
    const beside = ".headerlink, script, style, noscript, svg, details.hide, #jb-print-docs-body, .explorable-controls";
    Search.htmlToText = (page, anchor) => {
      const read = new DOMParser().parseFromString(page, "text/html");
      read.querySelectorAll(beside).forEach((element) => element.remove());
      const article = read.querySelector("article");
      const place = anchor ? read.querySelector(`article ${anchor}`) : null;
      // the place of an index entry is empty; the search fails where there is no text
      const found = [place, place?.parentElement, article].find((e) => e?.textContent.trim());
      return found ? plain(found.textContent) : "";
    };
  });
})();
