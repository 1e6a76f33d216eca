"""Steps: the work of a job, one process after the other, on a machine, by somebody."""
