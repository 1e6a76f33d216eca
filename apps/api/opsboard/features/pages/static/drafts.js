// Unsaved input of forms. It is kept while the user visits another view.

/** @typedef {{ states: Record<string, any>, base: { data: any, etag: string | null } | null }} Draft */

/** @type {Map<string, Draft>} */
const drafts = new Map(); // the form's address -> its draft

export function draftOf(address) {
  return drafts.get(address) ?? null;
}

export function keepDraft(address, draft) {
  drafts.set(address, draft);
}

export function dropDraft(address) {
  drafts.delete(address);
}

// Somebody else signs in: what one person typed is not the next one's.
export function dropAllDrafts() {
  drafts.clear();
}

addEventListener("beforeunload", (event) => drafts.size && event.preventDefault());
