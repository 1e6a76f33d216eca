// The index of the documentation: finds operations by words, and follows addresses of the time when it was one page.

const search = /** @type {HTMLInputElement} */ (document.getElementById("find"));
const matches = document.getElementById("matches");
const areas = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".area"))].map((element) => ({
  element,
  operations: [...element.querySelectorAll("li")].map((item) => ({
    item,
    text: `${element.querySelector("h3").textContent} ${item.textContent}`.toLowerCase(),
  })),
}));

function follow() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.matches(".areas a")) location.replace(/** @type {HTMLAnchorElement} */ (target).href);
}

function find() {
  const words = search.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const { element, operations } of areas) {
    const found = operations.filter(({ text }) => words.every((word) => text.includes(word)));
    for (const operation of operations) operation.item.hidden = !found.includes(operation);
    element.hidden = found.length === 0;
    count += found.length;
  }
  matches.textContent =
    search.value.trim() === ""
      ? ""
      : count === 0
        ? "No operation matches."
        : count === 1
          ? "1 operation."
          : `${count} operations.`;
}

follow();
addEventListener("hashchange", follow);
// Without this script the list is whole, and there is nothing to search with.
search.parentElement.hidden = false;
search.addEventListener("input", find);
// A browser that comes back to the page may have kept the words.
find();
