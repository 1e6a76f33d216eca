ALTER TABLE business_settings DROP COLUMN IF EXISTS contradictions;
