ALTER TABLE work_records DROP COLUMN IF EXISTS is_forgotten;
