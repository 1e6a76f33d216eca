// Pictures of the menu: lines in a square of 24.

const NS = "http://www.w3.org/2000/svg";

export const ICONS = {
  approvals: "M4 12.5l5 5L20 6.5",
  audit: "M6 3h9l4 4v14H6ZM9 9h6M9 13h6M9 17h4",
  board: "M4 4h7v9H4ZM13 4h7v5h-7ZM13 11h7v9h-7ZM4 15h7v5H4Z",
  campaigns: "M4 10v4h3l8 5V5l-8 5ZM18 9a4 4 0 0 1 0 6",
  chart: "M4 4v16h16M8 16v-5M12 16V7M16 16v-3",
  clock: "M12 4a8 8 0 1 0 .01 0ZM12 8v4l3 2",
  copies: "M8 8h12v12H8ZM4 16V4h12",
  customers: "M4 20V9l8-5 8 5v11ZM10 20v-6h4v6",
  hook: "M9 12a4 4 0 1 1 5-4l2 4a4 4 0 1 1-3 7H8a4 4 0 1 1-2-6",
  import: "M12 4v11M8 11l4 4 4-4M4 19h16",
  jobs: "M4 8h16v12H4ZM9 8V4h6v4M4 13h16",
  journeys: "M6 6h.01M18 18h.01M6 8v4a4 4 0 0 0 4 4h6",
  leads: "M4 5h16l-6 8v6l-4-2v-4Z",
  load: "M4 6h16M4 12h10M4 18h6",
  machine:
    "M12 9a3 3 0 1 0 .01 0ZM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
  more: "M4 7h16M4 12h16M4 17h16",
  problems: "M12 4l9 16H3ZM12 10v4M12 17h.01",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  server: "M4 4h16v7H4ZM4 13h16v7H4ZM7.5 7.5h.01M7.5 16.5h.01",
  settings: "M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4",
  steps: "M4 19h5v-5h5V9h6",
  users: "M9 11a3.5 3.5 0 1 0-.01 0ZM3 20a6 6 0 0 1 12 0M16 5a3 3 0 0 1 0 6M18 15a5 5 0 0 1 3 5",
  work: "M14 7a4 4 0 0 1 5-3l-2.5 2.5 1 1L20 5a4 4 0 0 1-5 5l-8 9-2.5-2.5Z",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(NS, "svg");
  const path = document.createElementNS(NS, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
