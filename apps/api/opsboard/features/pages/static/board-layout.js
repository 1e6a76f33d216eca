// The order of the board's sections: by role, and as the person has arranged it. The arrangement is kept on the server,
// as a saved view of the area "board".

import { h, replace } from "./dom.js";
import { manages } from "./rights.js";

// Section -> its width in twelfths: what the role acts on first. All others follow in the order of the page.
const OF_MANAGERS = { jobs: 12, overdue: 7, risk: 5, decisions: 5, floor: 7, mine: 5 };
const FIRST = {
  operator: { mine: 7, tasks: 5, decisions: 5, floor: 12, jobs: 12, overdue: 7, risk: 5 },
  manager: OF_MANAGERS,
  admin: OF_MANAGERS,
};
const ADDRESS = "/api/saved-views?area=board&page_size=100";

export function layout(board, context) {
  const { me } = context;
  const sections = new Map(
    [...board.querySelectorAll(".board > section")].map((section) => [section.classList[1], section]),
  );
  const first = FIRST[me.role];
  let own = null; // the saved view of this person
  let isRead = false;

  function arrange(order, without) {
    const names = [...new Set([...order.filter((name) => sections.has(name)), ...sections.keys()])];
    board.querySelector(".board").append(...names.map((name) => sections.get(name)));
    for (const [name, section] of sections) {
      section.classList.toggle("is-put-away", without.includes(name));
      section.style.setProperty("--span", first[name] ?? "");
      section.toggleAttribute("data-span", name in first);
    }
  }

  function show() {
    const query = new URLSearchParams(own?.query);
    const listOf = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
    arrange(own ? listOf("order") : Object.keys(first), listOf("hide"));
  }

  // Read once, not at each poll.
  async function load(read) {
    if (isRead) return;
    const { items } = await read(ADDRESS);
    isRead = true;
    const found = items.find(({ owner }) => owner.id === me.id) ?? null;
    if (!own && !found) return;
    own = found;
    show();
  }

  /** Opens the dialog in which the person arranges their board. */
  function open({ currentTarget: opener }) {
    const names = [...board.querySelectorAll(".board > section:not([hidden])")].map((section) => section.classList[1]);
    const put = new Set(names.filter((name) => sections.get(name).classList.contains("is-put-away")));
    const list = h("ol", { class: "arrange-list" });
    const dialog = h(
      "dialog",
      { class: "ask", "aria-labelledby": "arrange-title", onclose: () => dialog.remove() },
      h(
        "form",
        { method: "dialog", onsubmit: (event) => save(event, opener, dialog, names, put) },
        h("h2", { id: "arrange-title" }, "Arrange your board"),
        list,
        h(
          "div",
          { class: "field-row" },
          h("button", { type: "submit", class: "main-button" }, "Save"),
          h(
            "button",
            { type: "button", class: "plain-button", onclick: () => reset(opener, dialog) },
            "Order of the role",
          ),
          h("button", { type: "button", class: "plain-button", onclick: () => dialog.close() }, "Cancel"),
        ),
      ),
    );
    const draw = () =>
      replace(
        list,
        names.map((name, index) => row(name, index)),
      );
    const move = (index, by) => {
      names.splice(index + by, 0, ...names.splice(index, 1));
      draw();
    };
    const row = (name, index) => {
      const title = titleOf(sections.get(name));
      const step = (by, sign, words, isOff) =>
        h(
          "button",
          {
            type: "button",
            class: "move-button",
            "data-key": `${words}-${name}`,
            "aria-label": `Move ${title} ${words}`,
            "aria-disabled": isOff ? "true" : null,
            onclick: () => isOff || move(index, by),
          },
          sign,
        );
      const change = ({ target }) => (target.checked ? put.delete(name) : put.add(name));
      return h(
        "li",
        {},
        h(
          "label",
          { class: "flag" },
          h("input", { type: "checkbox", checked: !put.has(name), onchange: change, "data-key": `shown-${name}` }),
          title,
        ),
        step(-1, "↑", "up", index === 0),
        step(1, "↓", "down", index === names.length - 1),
      );
    };
    draw();
    document.body.append(dialog);
    dialog.showModal();
  }

  async function save(event, opener, dialog, names, put) {
    event.preventDefault();
    const query = new URLSearchParams({
      order: names.join(","),
      ...(put.size ? { hide: [...put].join(",") } : {}),
    }).toString();
    const content = { area: "board", name: "Board", query, is_default: true };
    const request = own
      ? { method: "PATCH", path: `/api/saved-views/${own.id}`, content: { query } }
      : { method: "POST", path: "/api/saved-views", content };
    await finish(opener, dialog, { ...request, done: "Your board is arranged." });
  }

  async function reset(opener, dialog) {
    if (!own) return dialog.close();
    await finish(opener, dialog, {
      method: "DELETE",
      path: `/api/saved-views/${own.id}`,
      done: "Your board has the order of your role.",
    });
  }

  async function finish(pressed, dialog, request) {
    dialog.close();
    await context.act(pressed, { ...request, onDone: () => (isRead = false) });
  }

  show();
  addPrimary(sections.get(Object.keys(first)[0]), me);
  board.append(
    h(
      "p",
      { class: "arrange" },
      h("button", { type: "button", class: "plain-button", onclick: open }, "Arrange this board"),
      h("a", { class: "plain-button", href: "/wall" }, "Show on a wall"),
    ),
  );
  return { load };
}

// One main button on the page: what the role does most.
function addPrimary(section, me) {
  const [words, href] = manages(me) ? ["New job", "#/jobs/new"] : ["Open my work", "#/work"];
  const link = h("a", { class: "main-button", href }, words);
  const head = section.querySelector(".card-head");
  if (head) return head.append(link);
  const title = section.querySelector("h2");
  const made = h("div", { class: "card-head" });
  title.replaceWith(made);
  made.append(title, link);
}

function titleOf(section) {
  return section.querySelector("h2").textContent;
}
