COMMENT ON INDEX idx_jobs_due_date IS NULL;
