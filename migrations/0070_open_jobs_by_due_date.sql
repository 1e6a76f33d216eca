-- transactional: false
-- depends: 0069_own_fields_everywhere
-- Overdue jobs in the order of their due dates, without walking over all that were completed. The list sorts by
-- due_date_search, so an index that ends a page early has that column.

-- Serves: jobs.list_jobs (overdue, due today)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_open_due_date ON jobs (tenant_id, due_date_search, id)
WHERE status IN ('draft', 'active', 'on_hold');
