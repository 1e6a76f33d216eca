ALTER TABLE documents DROP COLUMN IF EXISTS content_stored_at;
