-- depends: 0073_completed_jobs
-- The risk of ending late is no longer learned from the jobs that finished last, but from a sample by the day they were added.

-- Serves: jobs.list_jobs (completed since)
COMMENT ON INDEX idx_jobs_completed_at IS 'Finished jobs by the time of their end.';
-- Serves: jobs.list_jobs (newest first), dashboard.recent_jobs, jobs.promise_date, jobs.list_at_risk, jobs.lateness_risk
COMMENT ON INDEX idx_jobs_created_at IS 'Jobs by the time they were added: the newest ones, and those of each day.';
