-- transactional: false
-- depends: 0150_archive
-- Archived records, in the order in which their list shows them.

-- Serves: customers.list_customers (archived), intelligence.list_customers
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_archived ON customers (tenant_id, name_search, id) WHERE archived_at IS NOT NULL;
-- Serves: contacts.list_contacts (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_contacts_archived ON contacts (tenant_id, created_at, id) WHERE archived_at IS NOT NULL;
-- Serves: leads.list_leads (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_leads_archived ON leads (tenant_id, created_at, id) WHERE archived_at IS NOT NULL;
-- Serves: machines.list_machines (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_machines_archived ON machines (tenant_id, name_search, id) WHERE archived_at IS NOT NULL;
-- Serves: processes.list_processes (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_processes_archived ON processes (tenant_id, name_search, id) WHERE archived_at IS NOT NULL;
-- Serves: users.list_users (archived), documents.list_people
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_archived ON users (tenant_id, full_name_search, id) WHERE archived_at IS NOT NULL;
-- Serves: routings.list_routings (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_routings_archived ON routings (tenant_id, name_search, id) WHERE archived_at IS NOT NULL;
-- Serves: jobs.list_jobs (archived)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_archived ON jobs (tenant_id, created_at, id) WHERE archived_at IS NOT NULL;
