-- transactional: false
-- depends: 0017_documents
-- Who works with a document, without keeping anybody from writing users meanwhile.

-- Serves: the foreign key of users to documents, documents.get_document (who works with it)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_active_document_id ON users (tenant_id, active_document_id)
WHERE active_document_id IS NOT NULL;
ALTER TABLE users VALIDATE CONSTRAINT users_active_document_fkey;
