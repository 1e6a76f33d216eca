-- transactional: false
-- depends: 0196_search_pending
-- Steps of a status by their completion read every completed step in vain where few or none of them have that status.

-- Serves: job_steps.list_job_steps (of a status, by completion)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_status_completed_at
ON job_steps (tenant_id, status, completed_at, id) WHERE completed_at IS NOT NULL;
-- Serves: job_steps.list_job_steps (waiting, by completion)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_waiting_completed_at
ON job_steps (tenant_id, completed_at, id)
WHERE completed_at IS NOT NULL AND status IN ('pending', 'in_progress') AND NOT job_ended;
