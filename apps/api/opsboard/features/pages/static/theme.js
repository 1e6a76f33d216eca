// Light or dark, before the first paint. The system's choice holds until somebody presses the button; the choice
// is kept in this browser. Not a module: a module would run after the first paint, and the page would flash.
(function () {
  const KEY = "opsboard.theme";
  const dark = document.getElementById("dark");
  const system = matchMedia("(prefers-color-scheme: dark)");

  function kept() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is shut: follow the system
    }
  }

  function apply(theme) {
    dark.media = theme === null ? "screen and (prefers-color-scheme: dark)" : theme === "dark" ? "screen" : "not all";
    announce();
  }

  // Charts are drawn in the colours of the moment: tell them. The style sheet may still be on its way.
  function announce() {
    requestAnimationFrame(() => dispatchEvent(new Event("themechange")));
  }

  function isDark() {
    return kept() === null ? system.matches : kept() === "dark";
  }

  function toggle() {
    const theme = isDark() ? "light" : "dark";
    const same = (theme === "dark") === system.matches;
    try {
      // Choosing what the system says anyway is following it again.
      if (same) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Not kept; it holds for this visit.
    }
    apply(theme);
  }

  apply(kept());
  system.addEventListener("change", announce);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) toggle();
  });
  // Paper is white.
  addEventListener("beforeprint", () => { dark.media = "not all"; dispatchEvent(new Event("themechange")); });
  addEventListener("afterprint", () => apply(kept()));
})();
