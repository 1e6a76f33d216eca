// The names of steps on the terminal.

export function wordOf({ process, step_order: order }) {
  return process?.name ?? `Step ${order}`;
}

/** The step of an item that has its job, such as "Milling of J-1"; also of a work record. */
export function nameOf({ process, step_order: order, step, job }) {
  return `${wordOf({ process, step_order: order ?? step.step_order })} of ${job.job_number}`;
}
