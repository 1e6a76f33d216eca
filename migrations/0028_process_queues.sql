-- transactional: false
-- depends: 0027_job_status_links
-- What waits at a process and how fast it was lately, without reading what it did in all the years before.

-- Serves: jobs.promise_date (open steps of a process, and those it finished in the last weeks)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_process_status
ON job_steps (tenant_id, process_id, status, completed_at);
