-- depends: 0070_open_jobs_by_due_date
-- The lists of overdue jobs and of those due today have an index of their own now.

-- Serves: jobs.list_at_risk
COMMENT ON INDEX idx_jobs_due_date IS 'Open jobs that are not due yet, by due date.';
