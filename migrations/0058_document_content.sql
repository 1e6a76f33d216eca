-- depends: 0054_missing_migrations
-- When the content of a document was stored; null: only its particulars are known. The bytes are in DOCUMENT_STORE, under
-- the business and their sha256, and never in a row.
ALTER TABLE documents ADD COLUMN IF NOT EXISTS content_stored_at timestamptz;
