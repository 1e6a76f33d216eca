// Light or dark, before the first paint. The system's choice holds until somebody presses the button; the choice
// is kept in this browser. Not a module: a module would run after the first paint, and the page would flash.
(() => {
  const KEY = "opsboard.theme";
  const dark = /** @type {HTMLLinkElement} */ (document.getElementById("dark"));
  const system = matchMedia("(prefers-color-scheme: dark)");

  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // Storage is shut: follow the system.
  }

  function apply() {
    dark.media = chosen === null ? "screen and (prefers-color-scheme: dark)" : chosen === "dark" ? "screen" : "not all";
  }

  function toggle() {
    const isDark = chosen === null ? system.matches : chosen === "dark";
    // Choosing what the system says anyway is following it again.
    chosen = isDark === system.matches ? (isDark ? "light" : "dark") : null;
    try {
      if (chosen === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, chosen);
    } catch {
      // Not kept; it holds for this visit.
    }
    apply();
  }

  apply();
  document.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("[data-theme-toggle]")) toggle();
  });
  // Paper is white.
  addEventListener("beforeprint", () => (dark.media = "not all"));
  addEventListener("afterprint", apply);
})();
