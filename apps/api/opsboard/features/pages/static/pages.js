// All pages of the menu, one entry each. A list of columns.js needs nothing else; another page says how its code comes.

/**
 * @typedef {object} Page
 * @property {string | null} group  its heading in the menu; null: not in the menu
 * @property {string} title
 * @property {string} href  with "/" at its end it is followed by the id of a record
 * @property {keyof typeof import("./icons.js").ICONS} [icon]
 * @property {string[]} [roles]  who sees it; everybody if left out
 * @property {boolean} [ofService]  about the whole service: for those who run it
 * @property {boolean} [onPhone]  also in the bar at the bottom of a phone, which has room for four
 * @property {(context: any, id: string) => Promise<any>} [open]  its view, loaded when it is first opened
 */

const MANAGERS = ["admin", "manager"];
const ADMINS = ["admin"];

/** @type {Page[]} */
export const PAGES = [
  { group: "", title: "Board", href: "#/", icon: "board", onPhone: true },
  {
    group: "",
    title: "My work",
    href: "#/work",
    icon: "work",
    onPhone: true,
    open: async (context) => (await import("./work.js")).work(context),
  },
  { group: "Make", title: "Jobs", href: "#/jobs", icon: "jobs", onPhone: true },
  { group: "Make", title: "Steps", href: "#/job-steps", icon: "steps" },
  { group: "Make", title: "Machines", href: "#/machines", icon: "machine" },
  { group: "Make", title: "Problems", href: "#/problems", icon: "problems" },
  {
    group: "Make",
    title: "Load",
    href: "#/load",
    icon: "load",
    roles: MANAGERS,
    open: async (context) => (await import("./load.js")).load(context),
  },
  {
    group: "Make",
    title: "Numbers",
    href: "#/numbers",
    icon: "chart",
    open: async (context) => (await import("./numbers.js")).numbers(context),
  },
  { group: "Sell", title: "Customers", href: "#/customers", icon: "customers" },
  { group: "Sell", title: "Leads", href: "#/leads", icon: "leads", onPhone: true },
  { group: "Sell", title: "Approvals", href: "#/workflow-approvals", icon: "approvals" },
  { group: "Sell", title: "Campaigns", href: "#/campaigns", icon: "campaigns" },
  { group: "Sell", title: "Journeys", href: "#/journeys", icon: "journeys" },
  { group: "Run", title: "Users", href: "#/users", icon: "users", roles: MANAGERS },
  { group: "Run", title: "Audit log", href: "#/audit", icon: "audit", roles: MANAGERS },
  {
    group: "Run",
    title: "Import",
    href: "#/import",
    icon: "import",
    roles: ADMINS,
    open: async (context) => (await import("./import.js")).importing(context),
  },
  {
    group: "Run",
    title: "Settings",
    href: "#/settings",
    icon: "settings",
    roles: ADMINS,
    open: async (context) => (await import("./settings.js")).settings(context),
  },
  {
    group: "Run",
    title: "Operate",
    href: "#/operate",
    icon: "server",
    roles: ADMINS,
    ofService: true,
    open: async (context) => (await import("./operate.js")).operate(context),
  },
  {
    group: null,
    title: "Webhooks",
    href: "#/webhooks",
    open: async (context) => (await import("./webhooks.js")).webhooks(context),
  },
  {
    group: null,
    title: "Delivery",
    href: "#/webhooks/deliveries/",
    open: async (context, id) => (await import("./delivery.js")).delivery(id.slice("deliveries/".length), context),
  },
  {
    group: null,
    title: "Your account",
    href: "#/account",
    open: async (context) => (await import("./account.js")).account(context),
  },
];

/** The pages of the menu that a role may open. */
export function pagesFor(role, runsService) {
  return PAGES.filter(
    ({ group, roles, ofService }) => group !== null && (!roles || roles.includes(role)) && (!ofService || runsService),
  );
}

/** The page whose code is loaded for an address, such as "settings"; undefined for lists and records. */
export function pageAt(address) {
  const record = `#/${address}`.replace(/[1-9][0-9]*$/, "");
  return PAGES.find(({ href, open }) => open && (href === `#/${address}` || (href === record && href.endsWith("/"))));
}
