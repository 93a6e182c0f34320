// Cached pages are the same for everybody, so what is personal arrives afterwards: the number of
// things in the cart. Everything works without this file.
(() => {
  "use strict";

  const badge = document.querySelector("#cart-link .badge");

  const showCount = (count) => {
    if (!badge) {
      return;
    }
    badge.textContent = count > 0 ? String(count) : "";
    badge.hidden = count <= 0;
  };

  const loadCount = async () => {
    try {
      const answer = await fetch("/api/cart", { credentials: "same-origin" });
      if (answer.ok) {
        showCount((await answer.json()).count);
      }
    } catch {
      // The page is complete without the badge.
    }
  };

  // A second click on "Place order" must not look like a second order.
  const guardForms = () => {
    for (const form of document.querySelectorAll("form[method=post]")) {
      form.addEventListener("submit", () => {
        for (const button of form.querySelectorAll("button")) {
          button.disabled = true;
        }
      });
    }
  };

  // Pages that come back from the browser's history keep their disabled buttons otherwise.
  const wakeForms = () => {
    for (const button of document.querySelectorAll("form[method=post] button")) {
      button.disabled = false;
    }
  };

  guardForms();
  window.addEventListener("pageshow", () => {
    wakeForms();
    loadCount();
  });
})();
