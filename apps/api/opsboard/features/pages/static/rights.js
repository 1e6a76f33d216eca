// Permissions of each role, as in the API: a button that would be refused is not shown.

export function manages(me) {
  return me.role !== "operator";
}

export function administers(me) {
  return me.role === "admin";
}

// Theirs to see in full: of a manager all, of an operator those assigned to or claimed by them.
export function isOwnLead(me, lead) {
  return manages(me) || lead.assigned_user?.id === me.id || (lead.claimed_by?.id === me.id && isClaimed(lead));
}

export function mayEditLead(me, lead) {
  if (isOwnLead(me, lead)) return true;
  return !lead.assigned_user && !(lead.claimed_by && isClaimed(lead));
}

function isClaimed(lead) {
  return Date.parse(lead.claimed_until) > Date.now();
}
