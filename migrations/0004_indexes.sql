-- transactional: false
-- depends: 0003_notices
-- The 31 indexes of the job shop. Each starts with the tenant and says which query it serves.

-- customers
-- Serves: customers.list_customers (search and sort by name)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_name ON customers (tenant_id, name_search, id);
-- Serves: customers.list_customers (search by e-mail)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_email ON customers (tenant_id, email_search);
-- Serves: customers.list_customers (search by phone)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_phone ON customers (tenant_id, phone_search);
-- Serves: customers.list_customers (newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_created_at ON customers (tenant_id, created_at, id);
-- Serves: customers.list_customers (last changed first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_updated_at ON customers (tenant_id, updated_at, id);

-- jobs
-- Serves: jobs.list_jobs (one status, newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_status_created_at ON jobs (tenant_id, status, created_at, id);
-- Serves: jobs.list_jobs (one status, by due date)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_status_due_date ON jobs (tenant_id, status, due_date_search, id);
-- Serves: jobs.list_jobs (overdue, due today), jobs.list_at_risk
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_due_date ON jobs (tenant_id, due_date, id)
WHERE status IN ('draft', 'active', 'on_hold');
-- Serves: jobs.list_jobs (search and sort by number)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_job_number_pattern ON jobs (tenant_id, job_number_search, id);
-- Serves: jobs.list_jobs (last changed first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_updated_at ON jobs (tenant_id, updated_at, id);

-- job_steps
-- Serves: jobs.list_jobs and jobs.get_job (progress), job_steps.list_job_steps (of one job)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_job_status ON job_steps (tenant_id, job_id, status);
-- Serves: the uniqueness of a step's place in its job
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_job_order ON job_steps (tenant_id, job_id, step_order);
-- Serves: job_steps.list_job_steps (of one person)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_assigned_status
ON job_steps (tenant_id, assigned_user_id, status, completed_at);
-- Serves: machines.get_machine (its queue), job_steps.list_job_steps (of one machine)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_machine_status ON job_steps (tenant_id, machine_id, status);
-- Serves: job_steps.list_job_steps (newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_created_at ON job_steps (tenant_id, created_at, id);
-- Serves: job_steps.list_job_steps (started since, last started first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_started_at ON job_steps (tenant_id, started_at, id)
WHERE started_at IS NOT NULL;
-- Serves: job_steps.list_job_steps (completed since, last completed first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_completed_at ON job_steps (tenant_id, completed_at, id)
WHERE completed_at IS NOT NULL;

-- machines
-- Serves: machines.list_machines (those that stand still)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_machines_status ON machines (tenant_id, status, name_search, id)
WHERE status <> 'active';
-- Serves: machines.list_machines (search and sort by name)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_machines_name ON machines (tenant_id, name_search, id);
-- Serves: machines.list_machines (those that run)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_machines_is_active ON machines (tenant_id, is_active, name_search, id);

-- users
-- Serves: users.list_users (one role)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_role ON users (tenant_id, role, full_name_search, id)
WHERE is_active;
-- Serves: users.list_users (active or blocked)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_is_active ON users (tenant_id, is_active, full_name_search, id);
-- Serves: users.list_users (search and sort by name)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_full_name ON users (tenant_id, full_name_search, id);

-- notifications
-- Serves: notifications.list_notifications (newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_user_created_at
ON notifications (tenant_id, user_id, created_at, id);
-- Serves: notifications.list_notifications (unread)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_unread ON notifications (tenant_id, user_id, created_at, id)
WHERE read_at IS NULL;

-- audit_logs
-- Serves: audit.list_audit_logs (newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_created_at ON audit_logs (tenant_id, created_at, id);
-- Serves: audit.list_audit_logs (of one thing)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_entity
ON audit_logs (tenant_id, entity, entity_id, created_at, id);
-- Serves: audit.list_audit_logs (of one person)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_audit_logs_user ON audit_logs (tenant_id, user_id, created_at, id);

-- processes
-- Serves: processes.list_processes (search and sort by name)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_processes_name ON processes (tenant_id, name_search, id);
-- Serves: processes.list_processes (active or not)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_processes_is_active ON processes (tenant_id, is_active, name_search, id);

-- role_process_permissions
-- Serves: job_steps.update_job_step (may this role work on this process?), processes.list_processes
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_role_process_permissions_process
ON role_process_permissions (tenant_id, process_id, role);
