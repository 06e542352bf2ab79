"""What stands beside Procrastinate's tables: jobs for later, dead letters, and the functions that move jobs about."""

from __future__ import annotations

VERSION = 6  # counted up with every change below: an installation with another one is upgraded at the next start

TABLES = """
-- jobs whose time has not come: apart, so that a million of them slow nobody down
CREATE TABLE IF NOT EXISTS later (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    queue text NOT NULL,
    kind text NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    lock text,
    args jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS later_at ON later (at);
CREATE INDEX IF NOT EXISTS later_queue ON later (queue, kind);

-- jobs that failed for good, until somebody has looked at them
CREATE TABLE IF NOT EXISTS dead (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    queue text NOT NULL,
    kind text NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    lock text,
    args jsonb NOT NULL,
    error text NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_queue ON dead (queue, at);

-- when each clock last struck, so that of several nodes only one strikes, and none twice
CREATE TABLE IF NOT EXISTS clocks (
    name text PRIMARY KEY,
    struck_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS trellis_jobs_waiting ON procrastinate_jobs (queue_name, priority DESC, id)
    WHERE status = 'todo';
CREATE INDEX IF NOT EXISTS trellis_jobs_running ON procrastinate_jobs (queue_name) WHERE status = 'doing';
CREATE INDEX IF NOT EXISTS trellis_jobs_lock ON procrastinate_jobs (lock, status, priority DESC, id)
    WHERE lock IS NOT NULL AND status IN ('todo', 'doing');
"""

_SET = "SET search_path = trellis_queue, pg_catalog, pg_temp"
_PULLED = """greatest(j.priority, (
            SELECT max(n.priority) FROM procrastinate_jobs n
            WHERE n.lock = j.lock AND n.status = 'todo' AND n.id > j.id))"""  # by what stands behind it in its line
_MINE = f"LANGUAGE plpgsql SECURITY DEFINER {_SET}"  # for tenants: the owner's rights, on the caller's own jobs

FUNCTIONS = f"""
-- The next job for a worker. First whose: the tenant with the fewest jobs running, by lot among equals, so that one
-- with a hundred thousand waiting keeps nobody else waiting. Then which: by priority and age, as Procrastinate does.
CREATE OR REPLACE FUNCTION take(p_worker bigint, p_excluded text[], p_only text DEFAULT NULL)
RETURNS procrastinate_jobs LANGUAGE plpgsql {_SET} AS $$
DECLARE
    job procrastinate_jobs;
    whose text;
BEGIN
    FOR whose IN
        WITH RECURSIVE waiting(name) AS (
            (SELECT queue_name::text FROM procrastinate_jobs WHERE status = 'todo' ORDER BY queue_name LIMIT 1)
            UNION ALL
            SELECT (SELECT j.queue_name::text FROM procrastinate_jobs j
                    WHERE j.status = 'todo' AND j.queue_name > w.name ORDER BY j.queue_name LIMIT 1)
            FROM waiting w WHERE w.name IS NOT NULL
        ), running AS (
            SELECT queue_name, count(*) AS jobs FROM procrastinate_jobs WHERE status = 'doing' GROUP BY queue_name
        )
        SELECT w.name FROM waiting w LEFT JOIN running r ON r.queue_name = w.name
        WHERE w.name IS NOT NULL AND w.name <> ALL (p_excluded) AND (p_only IS NULL OR w.name = p_only)
        ORDER BY coalesce(r.jobs, 0), random()
    LOOP
        WITH candidate AS (
            SELECT j.id FROM procrastinate_jobs j
            WHERE j.queue_name = whose AND j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
            AND (j.lock IS NULL OR NOT EXISTS (
                SELECT FROM procrastinate_jobs o WHERE o.lock = j.lock AND (o.status = 'doing' OR (
                    o.status = 'todo' AND (o.priority > j.priority OR (o.priority = j.priority AND o.id < j.id))))))
            ORDER BY j.priority DESC, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED
        )
        UPDATE procrastinate_jobs SET status = 'doing', worker_id = p_worker
        FROM candidate WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO job;
        IF FOUND THEN
            RETURN job;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Each of the following does nothing, and says so, when the job is no longer this worker's.

CREATE OR REPLACE FUNCTION done(p_job bigint, p_worker bigint) RETURNS boolean LANGUAGE plpgsql {_SET} AS $$
BEGIN
    DELETE FROM procrastinate_jobs WHERE id = p_job AND status = 'doing' AND worker_id = p_worker;
    RETURN FOUND;
END $$;

-- Once more, at a moment; in the line of its lock when the order must hold, else out of everybody's way.
CREATE OR REPLACE FUNCTION postpone(p_job bigint, p_worker bigint, p_at timestamptz, p_args jsonb, p_in_line boolean)
RETURNS boolean LANGUAGE plpgsql {_SET} AS $$
BEGIN
    IF p_in_line OR p_at <= clock_timestamp() THEN
        UPDATE procrastinate_jobs j SET status = 'todo', worker_id = NULL, scheduled_at = p_at, args = p_args,
            priority = {_PULLED}
        WHERE id = p_job AND status = 'doing' AND worker_id = p_worker;
        RETURN FOUND;
    END IF;
    WITH gone AS (
        DELETE FROM procrastinate_jobs WHERE id = p_job AND status = 'doing' AND worker_id = p_worker RETURNING *
    )
    INSERT INTO later (at, queue, kind, priority, lock, args)
    SELECT p_at, queue_name, task_name, priority, lock, p_args FROM gone;
    RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION bury(p_job bigint, p_worker bigint, p_args jsonb, p_error text)
RETURNS boolean LANGUAGE plpgsql {_SET} AS $$
BEGIN
    WITH gone AS (
        DELETE FROM procrastinate_jobs WHERE id = p_job AND status = 'doing' AND worker_id = p_worker RETURNING *
    )
    INSERT INTO dead (queue, kind, priority, lock, args, error)
    SELECT queue_name, task_name, priority, lock, p_args, p_error FROM gone;
    RETURN FOUND;
END $$;

-- Jobs whose time has come.
CREATE OR REPLACE FUNCTION promote(p_most integer, p_now timestamptz, p_only text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql {_SET} AS $$
DECLARE
    moved bigint;
BEGIN
    WITH due AS (
        SELECT id FROM later WHERE at <= p_now AND (p_only IS NULL OR queue = p_only)
        ORDER BY at, id LIMIT p_most FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM later USING due WHERE later.id = due.id RETURNING later.*
    ), added AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)
        SELECT queue, kind, priority, lock, args FROM gone ORDER BY at, id RETURNING 1
    )
    SELECT count(*) INTO moved FROM added;
    RETURN moved;
END $$;

-- Jobs of workers that have been silent for too long: others do them. One that was lost so often is at fault itself.
CREATE OR REPLACE FUNCTION rescue(p_seconds double precision, p_often integer)
RETURNS bigint LANGUAGE plpgsql {_SET} AS $$
DECLARE
    again bigint;
BEGIN
    DELETE FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => p_seconds);
    WITH lost AS (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'doing' AND worker_id IS NULL AND attempts + 1 >= p_often FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM procrastinate_jobs USING lost WHERE procrastinate_jobs.id = lost.id RETURNING procrastinate_jobs.*
    )
    INSERT INTO dead (queue, kind, priority, lock, args, error)
    SELECT queue_name, task_name, priority, lock, args, 'its worker died ' || (attempts + 1) || ' times' FROM gone;
    WITH lost AS (
        SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL FOR UPDATE SKIP LOCKED
    ), freed AS (
        UPDATE procrastinate_jobs j SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL,
            priority = {_PULLED}
        FROM lost WHERE j.id = lost.id RETURNING 1
    )
    SELECT count(*) INTO again FROM freed;
    IF again > 0 THEN
        PERFORM pg_notify('procrastinate_any_queue_v1', '{{"type": "job_inserted", "job_id": 0}}');
    END IF;
    RETURN again;
END $$;

-- Everything of a tenant that is being dropped.
CREATE OR REPLACE FUNCTION forget(p_role text) RETURNS void LANGUAGE sql {_SET} AS $$
    DELETE FROM procrastinate_jobs WHERE queue_name = p_role;
    DELETE FROM later WHERE queue = p_role;
    DELETE FROM dead WHERE queue = p_role;
$$;

-- Whose jobs the caller works on: a tenant's role only its own; the platform's login says.
CREATE OR REPLACE FUNCTION trellis_jobs.whose(p_role text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    caller text := current_setting('role');
BEGIN
    IF caller = 'none' THEN
        RETURN coalesce(p_role, 'trellis');
    END IF;
    IF p_role IS NOT NULL AND p_role <> caller THEN
        RAISE insufficient_privilege USING MESSAGE = 'a tenant works on jobs of its own only';
    END IF;
    RETURN caller;
END $$;

CREATE OR REPLACE FUNCTION trellis_jobs.defer(p_jobs jsonb, p_role text DEFAULT NULL) RETURNS void {_MINE}
SET enable_seqscan = off AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
BEGIN
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)
    SELECT mine, j.kind, coalesce(j.priority, 0), mine || ':' || j.lock, j.args
    FROM jsonb_to_recordset(p_jobs) AS j(kind text, priority integer, lock text, args jsonb, at timestamptz)
    WHERE j.at IS NULL OR j.at <= clock_timestamp();
    -- a line keeps its order: what stands before a job of higher priority goes as soon as that one would
    WITH asked AS (
        SELECT mine || ':' || j.lock AS lock, max(coalesce(j.priority, 0)) AS priority
        FROM jsonb_to_recordset(p_jobs) AS j(priority integer, lock text, at timestamptz)
        WHERE j.lock IS NOT NULL AND (j.at IS NULL OR j.at <= clock_timestamp()) GROUP BY j.lock
    ), before AS (
        SELECT o.id, (SELECT max(n.priority) FROM procrastinate_jobs n
                      WHERE n.lock = o.lock AND n.status = 'todo' AND n.id > o.id) AS priority
        FROM asked JOIN procrastinate_jobs o ON o.lock = asked.lock
        WHERE o.status = 'todo' AND o.priority < asked.priority ORDER BY o.id FOR UPDATE OF o SKIP LOCKED
    )
    UPDATE procrastinate_jobs j SET priority = before.priority FROM before
    WHERE j.id = before.id AND j.priority < before.priority;
    INSERT INTO later (at, queue, kind, priority, lock, args)
    SELECT j.at, mine, j.kind, coalesce(j.priority, 0), mine || ':' || j.lock, j.args
    FROM jsonb_to_recordset(p_jobs) AS j(kind text, priority integer, lock text, args jsonb, at timestamptz)
    WHERE j.at > clock_timestamp();
END $$;

-- In the transaction of the work itself: with it the job is done, or neither is.
CREATE OR REPLACE FUNCTION trellis_jobs.done(p_job bigint, p_worker bigint) RETURNS boolean {_MINE} AS $$
BEGIN
    DELETE FROM procrastinate_jobs WHERE id = p_job AND status = 'doing' AND worker_id = p_worker
        AND (queue_name = current_setting('role') OR current_setting('role') = 'none');
    RETURN FOUND;
END $$;

-- Take along the waiting jobs of a kind (and a lock) that one run does the work of.
DROP FUNCTION IF EXISTS trellis_jobs.absorb(text, text);
CREATE OR REPLACE FUNCTION trellis_jobs.absorb(p_kind text, p_lock text DEFAULT NULL, p_role text DEFAULT NULL)
RETURNS bigint {_MINE} AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
    gone bigint;
BEGIN
    DELETE FROM later WHERE queue = mine AND kind = p_kind AND (p_lock IS NULL OR lock = mine || ':' || p_lock);
    WITH same AS (
        SELECT id FROM procrastinate_jobs WHERE queue_name = mine AND task_name = p_kind AND status = 'todo'
            AND (p_lock IS NULL OR lock = mine || ':' || p_lock)
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM procrastinate_jobs USING same WHERE procrastinate_jobs.id = same.id RETURNING 1
    )
    SELECT count(*) INTO gone FROM deleted;
    RETURN gone;
END $$;

-- The newest dead letters, so many of them or all.
DROP FUNCTION IF EXISTS trellis_jobs.dead(text);
CREATE OR REPLACE FUNCTION trellis_jobs.dead(p_most bigint DEFAULT NULL, p_role text DEFAULT NULL)
RETURNS TABLE (id bigint, at timestamptz, kind text, args jsonb, error text) {_MINE} AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
BEGIN
    RETURN QUERY SELECT d.id, d.at, d.kind, d.args, d.error FROM dead d WHERE d.queue = mine ORDER BY d.id DESC
        LIMIT p_most;
END $$;

-- How much there is of the caller's.
CREATE OR REPLACE FUNCTION trellis_jobs.depth(p_role text DEFAULT NULL)
RETURNS TABLE (waiting bigint, running bigint, later bigint, dead bigint, oldest double precision) {_MINE} AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
BEGIN
    RETURN QUERY SELECT
        (SELECT count(*) FROM procrastinate_jobs j WHERE j.queue_name = mine AND j.status = 'todo'),
        (SELECT count(*) FROM procrastinate_jobs j WHERE j.queue_name = mine AND j.status = 'doing'),
        (SELECT count(*) FROM later l WHERE l.queue = mine),
        (SELECT count(*) FROM dead d WHERE d.queue = mine),
        (SELECT coalesce(extract(epoch FROM now() - min(e.at)), 0)::double precision FROM procrastinate_events e
         WHERE e.job_id = (SELECT min(j.id) FROM procrastinate_jobs j
                           WHERE j.queue_name = mine AND j.status = 'todo'));
END $$;

-- Dead letters once more, or away with them; all of them when none is named.
CREATE OR REPLACE FUNCTION trellis_jobs.revive(p_ids bigint[], p_role text DEFAULT NULL) RETURNS bigint {_MINE} AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
    again bigint;
BEGIN
    WITH gone AS (
        DELETE FROM dead WHERE queue = mine AND (p_ids IS NULL OR id = ANY (p_ids)) RETURNING *
    ), added AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)
        SELECT queue, kind, priority, lock, args || '{{"tries": 0}}'::jsonb FROM gone ORDER BY id RETURNING 1
    )
    SELECT count(*) INTO again FROM added;
    RETURN again;
END $$;

CREATE OR REPLACE FUNCTION trellis_jobs.discard(p_ids bigint[], p_role text DEFAULT NULL) RETURNS bigint {_MINE} AS $$
DECLARE
    mine text := trellis_jobs.whose(p_role);
    gone bigint;
BEGIN
    WITH deleted AS (
        DELETE FROM dead WHERE queue = mine AND (p_ids IS NULL OR id = ANY (p_ids)) RETURNING 1
    )
    SELECT count(*) INTO gone FROM deleted;
    RETURN gone;
END $$;
"""
