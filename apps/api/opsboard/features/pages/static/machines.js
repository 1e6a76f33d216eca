// Setting a machine's status: everybody on the floor may.

import { words } from "./chips.js";
import { h } from "./dom.js";

export function machineStatus(machine, statuses, { act }) {
  const change = ({ currentTarget }) =>
    act(currentTarget, "PATCH", `/api/machines/${machine.id}`, { status: currentTarget.value }, `${machine.name}: ${words(currentTarget.value)}.`);
  const options = statuses.map((status) => h("option", { value: status, selected: status === machine.status }, words(status)));
  return h("select", { "aria-label": `Status of ${machine.name}`, "data-key": `status-${machine.id}`, onchange: change }, options);
}
