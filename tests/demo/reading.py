"""Return the content of a database, as the superuser sees it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from tests.clusters import FreshDatabase

TABLES = (
    "tenants",
    "users",
    "processes",
    "role_process_permissions",
    "machines",
    "routings",
    "routing_steps",
    "reasons",
    "saved_views",
    "working_hours",
    "holidays",
    "customers",
    "jobs",
    "job_steps",
    "notifications",
    "audit_logs",
    "business_settings",
    "contacts",
    "conversations",
    "conversation_reads",
    "messages",
    "call_log",
    "documents",
    "journeys",
    "journey_nodes",
    "journey_edges",
    "journey_contacts",
    "journey_step_keys",
    "journey_node_executions",
    "journey_messages",
    "leads",
    "lead_status_history",
    "response_approvals",
    "approval_queue",
    "approval_history",
    "auto_responses",
    "campaigns",
    "campaign_recipients",
    "campaign_tracking_events",
    "campaign_event_keys",
    "campaign_metrics",
    "suppressions",
    "work_records",
    "machine_stops",
    "problems",
    "workflows",
    "workflow_execution_monitoring",
    "workflow_alerts",
)


def rows(database: FreshDatabase, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        cursor = connection.cursor()
        cursor.execute(query, parameters)
        return cursor.fetchall()


def value(database: FreshDatabase, query: str, *parameters: object) -> Any:
    ((found,),) = rows(database, query, *parameters)
    return found


def contents(database: FreshDatabase) -> dict[str, tuple[int, str]]:
    """Per table the number of rows and a hash of all of them; password hashes have a salt and are left out."""
    return {
        table: rows(
            database,
            f"""
            SELECT
                count(*),
                md5(coalesce(string_agg((to_jsonb(t) - 'password_hash')::text, E'\\n'
                    ORDER BY (to_jsonb(t) - 'password_hash')::text), ''))
            FROM {table} AS t
            """,
        )[0]
        for table in TABLES
    }


def schema(database: FreshDatabase) -> list[tuple[Any, ...]]:
    """Indexes, foreign keys and row security, as the catalogue has them."""
    return rows(
        database,
        """
        SELECT 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) || convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'row security', relname, relrowsecurity || ' ' || relforcerowsecurity
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
            -- A sequence comes with each business.
            AND relkind <> 'S'
        ORDER BY 1, 2
        """,
    )
