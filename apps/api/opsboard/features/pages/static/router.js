// The address after # says what is shown, so that back, reload and a sent link all work.

// "#/jobs?status=active" -> { area: "jobs", id: "", query }; the id is all that follows the first part.
export function route() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [area = "", ...rest] = path.split("/");
  return { area, id: rest.join("/"), query: new URLSearchParams(search) };
}

// The page that shows what an address of the API gives.
export function pageOf(link) {
  // These have a page for each; of others the list has all there is to see.
  return link
    .replace(/^(\/api)?\//, "#/")
    .replace(
      /^(#\/(?!(?:jobs|customers|contacts|leads|documents|users|machines|processes|routings|webhooks\/deliveries)\/).+)\/\d+$/,
      "$1",
    );
}

export function address(area, query) {
  const search = query.toString();
  return `#/${area}${search ? `?${search}` : ""}`;
}
