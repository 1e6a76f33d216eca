-- depends: 0019_business_settings
-- Contacts, conversations with them, and their messages.
--
-- How many messages of a conversation are unread: received, which the rollups count, less those received when somebody
-- last marked it read. Messages are only added, so writers to one conversation never wait for each other, a count is
-- right in every snapshot, and what it costs does not grow with the conversation.

CREATE TABLE contacts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    customer_id bigint,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    email text CHECK (length(email) <= 254),
    phone text CHECK (length(phone) <= 50),
    phone_search text COLLATE "C" GENERATED ALWAYS AS (regexp_replace(phone, '[^0-9]', '', 'g')) STORED,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT contacts_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT contacts_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY contacts_isolation ON contacts
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON contacts TO opsboard_app;

CREATE TRIGGER contacts_touch BEFORE UPDATE ON contacts
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: contacts.list_contacts (newest first)
CREATE INDEX idx_contacts_tenant_created_at ON contacts (tenant_id, created_at DESC, id DESC);
-- Serves: contacts.list_contacts (of a customer, newest first), and the foreign key
CREATE INDEX idx_contacts_created_at ON contacts (tenant_id, customer_id, created_at DESC, id DESC);
-- Serves: contacts.list_contacts (search and sort by name)
CREATE INDEX idx_contacts_name ON contacts (tenant_id, name_search, id);
-- Serves: contacts.list_contacts (search by phone)
CREATE INDEX idx_contacts_phone ON contacts (tenant_id, phone_search);

SELECT watch_counts('contacts', NULL, NULL, NULL);

CREATE TABLE conversations (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    channel text NOT NULL DEFAULT 'whatsapp' CHECK (channel IN ('whatsapp', 'sms', 'email')),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    -- Written without waiting: of several that write at once one sets it, so it may be a moment early.
    last_message_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT conversations_contact_channel_key UNIQUE (tenant_id, contact_id, channel),
    CONSTRAINT conversations_contact_fkey FOREIGN KEY (tenant_id, contact_id)
    REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY conversations_isolation ON conversations
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON conversations TO opsboard_app;

CREATE TRIGGER conversations_touch BEFORE UPDATE ON conversations
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: conversations.list_conversations (the last message first)
CREATE INDEX idx_conversations_last_message_at ON conversations (tenant_id, last_message_at, id);
-- Serves: conversations.list_conversations (open or closed)
CREATE INDEX idx_conversations_status ON conversations (tenant_id, status, last_message_at, id);

SELECT watch_counts('conversations', 'status', NULL, NULL);

-- How many messages had been received when a conversation was last marked read. A table of its own, so that those who
-- read do not hold the row that those who write want.
CREATE TABLE conversation_reads (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    conversation_id bigint NOT NULL,
    read_count bigint NOT NULL CHECK (read_count >= 0),
    read_by bigint,
    read_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, read_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE conversation_reads ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_reads FORCE ROW LEVEL SECURITY;
CREATE POLICY conversation_reads_isolation ON conversation_reads
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON conversation_reads TO opsboard_app;

-- Serves: the foreign key of who read
CREATE INDEX idx_conversation_reads_read_by ON conversation_reads (tenant_id, read_by);

SELECT watch_changes('conversation_reads');

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    conversation_id bigint NOT NULL,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    body text NOT NULL CHECK (body <> '' AND length(body) <= 4000),
    from_number text CHECK (length(from_number) <= 254),
    to_number text CHECK (length(to_number) <= 254),
    -- Null: received, or sent by no person.
    sent_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, created_at),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, sent_by) REFERENCES users (tenant_id, id)
)
PARTITION BY RANGE (created_at);

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY messages_isolation ON messages
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON messages TO opsboard_app;

-- Serves: conversations.list_messages (newest first), conversations.list_conversations (last message), foreign key
CREATE INDEX idx_messages_conversation_created_at
ON messages (tenant_id, conversation_id, created_at DESC, id DESC);
-- Serves: conversations.list_all_messages (newest first)
CREATE INDEX idx_messages_created_at ON messages (tenant_id, created_at DESC, id DESC);
-- Serves: conversations.list_all_messages (to one number, newest first)
CREATE INDEX idx_whatsapp_message_business_to_created
ON messages (tenant_id, to_number, created_at DESC, id DESC);
-- Serves: the foreign key of who sent it
CREATE INDEX idx_messages_sent_by ON messages (tenant_id, sent_by);

SELECT make_partitions('messages', current_date, current_date + 92);
SELECT watch_counts('messages', 'direction', 'conversation_id', NULL);
SELECT count_updates_by_statement('messages', '+messages', 'direction', 'conversation_id');
