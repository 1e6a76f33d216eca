COMMENT ON INDEX idx_jobs_completed_at IS NULL;
COMMENT ON INDEX idx_jobs_created_at IS NULL;
