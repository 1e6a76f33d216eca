REVOKE DELETE ON job_steps FROM opsboard_app;
ALTER TABLE job_steps DROP CONSTRAINT IF EXISTS idx_job_steps_job_order;
CREATE UNIQUE INDEX IF NOT EXISTS idx_job_steps_job_order ON job_steps (tenant_id, job_id, step_order);
ALTER TABLE job_steps DROP COLUMN IF EXISTS instructions;
ALTER TABLE job_steps DROP COLUMN IF EXISTS seconds_per_piece;
ALTER TABLE job_steps DROP COLUMN IF EXISTS setup_minutes;
