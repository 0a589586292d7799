"""Every statement of the storage, for the tables of one storage.

A statement takes columns of values as arrays and finds its rows by an index. One that changes a
run locks its row first, and reads from the locked row what others change without a revision:
the leases. What another transaction holds is skipped, and sent alone afterwards.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from hephaestus_postgres.rows import BIN, ENTRY_COLUMNS, RESTORED
from hephaestus_postgres.tables import Tables

_ENDED = "('completed', 'failed', 'cancelled')"
_SECONDS = int(BIN.total_seconds())

_COLUMNS = """
    i.run_id, i.id, i.workflow, i.workflow_version, i.status, i.unique_key,
    i.initial::text AS initial, i.state::text AS state, i.tags::text AS tags,
    i.created_at, i.updated_at, i.finished_at, i.revision, i.leases::text AS leases
"""

_ENDS = "(SELECT min((value->>'until')::timestamptz) FROM jsonb_each({leases}))"
"""When the first of some leases ends."""

_DUE = f"least({{wake_at}}, date_bin('{_SECONDS} seconds', {{ends}}, 'epoch'))"

_ENTRIES = """
    unnest(
        ${0}::text[], ${1}::text[], ${2}::text[], ${3}::text[], ${4}::text[], ${5}::text[],
        ${6}::int[], ${7}::float8[], ${8}::text[], ${9}::text[], ${10}::text[],
        ${11}::timestamptz[], ${12}::bool[]
    ) AS e(run_id, id, action, step, step_type, event, attempt, duration, input, output, error,
           timestamp, is_result)
"""


def _written_entries(first: int, of: str) -> str:
    """Insert entries, whose columns begin at that parameter, of the runs in a CTE.

    Where entries are known to be new, PostgreSQL need not note that it looked (`{{known}}`).
    """
    return f"""
        INSERT INTO {{entries}} ({", ".join(ENTRY_COLUMNS)})
        SELECT e.run_id, e.id, e.action, e.step, e.step_type, e.event, e.attempt, e.duration,
               e.input::jsonb, e.output::jsonb, e.error::jsonb, e.timestamp, e.is_result
        FROM {_ENTRIES.format(*range(first, first + len(ENTRY_COLUMNS)))}
        JOIN {of} w ON w.run_id = e.run_id
        {{known}}
    """


_RESULTS = """
    (SELECT json_object_agg(e.step, e.output)::text FROM {entries} e
     WHERE e.run_id = i.run_id AND e.is_result)
"""

_INBOX = """
    (SELECT json_agg(json_build_object(
        'id', m.id, 'sequence', m.sequence, 'dedup_key', m.dedup_key, 'body', m.body,
        'not_before', m.not_before, 'seen', m.is_seen) ORDER BY m.sequence)::text
     FROM {inbox} m WHERE m.run_id = i.run_id AND m.body IS NOT NULL)
"""

_HISTORY = f"""
    (SELECT json_agg(json_build_object(
        'id', e.id, 'action', e.action, 'step', e.step, 'step_type', e.step_type,
        'event', e.event, 'attempt', e.attempt, 'duration', e.duration, 'input', e.input,
        'output', e.output, 'error', e.error, 'timestamp', e.timestamp) ORDER BY e.sequence)::text
     FROM {{entries}} e WHERE e.run_id = {{run_id}} AND e.action <> '{RESTORED}')
"""

CREATE = f"""
WITH batch AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
        $13::bigint[], $14::text[], $15::text[], $16::timestamptz[], $17::timestamptz[],
        $18::timestamptz[]
    ) AS b(run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
           created_at, updated_at, finished_at, revision, token, leases, lease_ends, wake_at, due_at)
), free AS (
    -- Two starts of one key take turns; a batch waits for nobody.
    SELECT * FROM batch
    WHERE unique_key IS NULL OR {{lock}}
), written AS (
    INSERT INTO {{instances}} (
        run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
        created_at, updated_at, finished_at, revision, token, leases, lease_ends, wake_at, due_at
    )
    SELECT run_id, id, workflow, workflow_version, status, unique_key, initial::jsonb,
           state::json, tags::jsonb, created_at, updated_at, finished_at, revision, token,
           leases::jsonb, lease_ends, wake_at, due_at
    FROM free
    ON CONFLICT DO NOTHING
    RETURNING run_id
), told AS ({_written_entries(19, "written")})
SELECT run_id FROM written
"""
_TRY = "pg_try_advisory_xact_lock(hashtextextended(unique_key, 0))"
_WAIT = "pg_advisory_xact_lock(hashtextextended(unique_key, 0)) IS NOT NULL"

HOLDERS = f"""
SELECT unique_key, run_id FROM {{instances}}
WHERE unique_key = ANY($1::text[]) AND unique_key IS NOT NULL AND status NOT IN {_ENDED}
UNION ALL
SELECT NULL, run_id FROM {{instances}} WHERE run_id = ANY($2::text[])
"""

COMMIT = f"""
WITH batch AS (
    SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
        $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[]
    ) AS b(run_id, revision, token, status, state, updated_at, finished_at, wake_at, ended, freed,
           granted)
), held AS (
    SELECT i.run_id, i.leases FROM {{instances}} i JOIN batch b ON b.run_id = i.run_id
    WHERE i.revision = b.revision - 1 AND NOT EXISTS (
        SELECT FROM jsonb_each(i.leases) l
        WHERE b.granted::jsonb ? l.key AND NOT l.value ? 'released'
    )
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i {{skip}}
), leased AS (
    SELECT b.*, h.leases
        - coalesce(string_to_array(b.ended, ','), '{{{{}}}}')
        - CASE WHEN b.freed IS NULL THEN '{{{{}}}}' ELSE ARRAY(
              SELECT key FROM unnest(string_to_array(b.freed, ',')) AS key
              WHERE h.leases->key ? 'released'
          ) END
        || b.granted::jsonb AS leases
    FROM batch b JOIN held h ON h.run_id = b.run_id
), written AS (
    UPDATE {{instances}} i SET
        revision = n.revision, token = n.token, status = n.status, state = n.state::json,
        updated_at = n.updated_at, finished_at = n.finished_at, wake_at = n.wake_at,
        leases = n.leases, lease_ends = n.ends, handed_until = NULL,
        due_at = CASE WHEN n.status NOT IN {_ENDED}
                 THEN {_DUE.format(wake_at="n.wake_at", ends="n.ends")} END
    FROM (SELECT *, {_ENDS.format(leases="leased.leases")} AS ends FROM leased) n
    WHERE i.run_id = n.run_id
    RETURNING i.run_id
), told AS ({_written_entries(12, "written")}){{messages}}
SELECT run_id FROM written
"""

_COMMIT_ONLY = 24
"""So many columns has a commit without messages."""

MESSAGES = """, named AS (
    SELECT m.message_id, m.is_taken
    FROM unnest($25::text[], $26::text[], $27::bool[]) AS m(run_id, message_id, is_taken)
    JOIN written w ON w.run_id = m.run_id
), forgotten AS (
    -- An outcome need not be known again: its attempt is over.
    DELETE FROM {inbox} m USING named n
    WHERE m.id = n.message_id AND n.is_taken AND m.step IS NOT NULL
), taken AS (
    UPDATE {inbox} m SET body = NULL FROM named n
    WHERE m.id = n.message_id AND n.is_taken AND m.step IS NULL
), seen AS (
    UPDATE {inbox} m SET is_seen = true FROM named n
    WHERE m.id = n.message_id AND NOT n.is_taken
)"""

POST = """
WITH batch AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::int[]
    ) WITH ORDINALITY AS b(id, run_id, dedup_key, body, not_before, step, attempt, place)
), found AS (
    -- A delete must not overtake the message.
    SELECT b.* FROM batch b JOIN {instances} i ON i.run_id = b.run_id
    ORDER BY i.run_id
    FOR KEY SHARE OF i
), written AS (
    INSERT INTO {inbox} (id, run_id, dedup_key, body, not_before, step, attempt)
    SELECT id, run_id, dedup_key, body::jsonb, not_before, step, attempt FROM found ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT f.place, w.id IS NOT NULL AS is_new
FROM found f LEFT JOIN written w ON w.id = f.id
"""

READ = f"""
SELECT a.place, {_COLUMNS}, {_RESULTS} AS results,
    CASE WHEN a.inbox THEN {_INBOX} END AS inbox,
    CASE WHEN a.history THEN {_HISTORY.format(run_id="i.run_id", entries="{entries}")} END AS history
FROM unnest($1::text[], $2::bool[], $3::bool[])
    WITH ORDINALITY AS a(run_id, inbox, history, place)
JOIN {{instances}} i ON i.run_id = a.run_id
"""

ENTRIES = f"SELECT {_HISTORY.format(run_id='$1', entries='{entries}')} AS history"

CLAIM = f"""
UPDATE {{instances}} i SET
    leases = i.leases || $4::jsonb,
    lease_ends = {_ENDS.format(leases="i.leases || $4::jsonb")},
    due_at = {_DUE.format(wake_at="i.wake_at", ends=_ENDS.format(leases="i.leases || $4::jsonb"))}
WHERE i.run_id = $1 AND i.status NOT IN {_ENDED}
    AND i.state->'active'->$2 IS NOT NULL
    AND coalesce(i.state->'active'->$2->>'state', 'ready') = 'ready'
    AND coalesce((i.state->'active'->$2->>'attempt')::int, 1) = $3
    -- No subquery: it would not be asked again of a row that another has just changed.
    AND NOT (i.leases ? $6 AND NOT i.leases->$6 ? 'released')
    AND NOT EXISTS (
        SELECT FROM {{inbox}} m
        WHERE m.run_id = i.run_id AND m.step = $2 AND m.attempt = $3 AND m.body IS NOT NULL
    )
RETURNING {_COLUMNS},
    (SELECT json_object_agg(e.step, e.output)::text FROM {{entries}} e
     WHERE e.run_id = i.run_id AND e.is_result AND e.step = ANY($5::text[])) AS results
"""

_HELD = """
    a.leases->l.key->>'incarnation' = l.value->>'incarnation'
    AND (a.leases->l.key->'number') = (l.value->'number')
    AND NOT l.value ? 'released' AND (l.value->>'until')::timestamptz > $3
"""
"""Whether a lease `l` of a run is still the one that is asked for in `a.leases`."""


def _changed_leases(become: str, *, at: str, more: str = "") -> str:
    """Change those of some leases that are still held, and return the leases of their runs."""
    return f"""
WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS b(run_id, given)
), locked AS (
    SELECT i.run_id, i.leases AS had, b.given::jsonb AS leases
    FROM {{instances}} i JOIN asked b ON b.run_id = i.run_id
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i
), changed AS (
    SELECT a.run_id, a.had, (
        SELECT jsonb_object_agg(l.key, CASE WHEN {_HELD} THEN l.value || {become} ELSE l.value END)
        FROM jsonb_each(a.had) l
    ) AS leases
    FROM locked a
), written AS (
    UPDATE {{instances}} i SET
        leases = n.leases, lease_ends = n.ends{more},
        due_at = {_DUE.format(wake_at="i.wake_at", ends="n.ends")}
    FROM (SELECT *, {_ENDS.format(leases="changed.leases")} AS ends FROM changed) n
    WHERE i.run_id = n.run_id AND n.leases IS NOT NULL AND n.leases <> n.had
        AND i.status NOT IN {_ENDED}
)
SELECT run_id, {at}::text AS leases FROM changed WHERE leases IS NOT NULL
"""


RENEW = _changed_leases(
    "jsonb_build_object('until', greatest((l.value->>'until')::timestamptz, $4::timestamptz))",
    at="leases",
)
RELEASE = _changed_leases(
    "jsonb_build_object('until', $3::timestamptz, 'released', true)",
    at="leases",
    more=", handed_until = NULL",
)

ADOPT = f"""
WITH found AS (
    SELECT i.run_id, i.leases FROM {{instances}} i
    WHERE i.due_at IS NOT NULL AND EXISTS (SELECT FROM jsonb_each(i.leases) l WHERE {{theirs}})
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i
), changed AS (
    SELECT f.run_id, (
        SELECT jsonb_object_agg(l.key, CASE WHEN {{theirs}}
            THEN l.value || jsonb_build_object('until', $3::timestamptz) ELSE l.value END)
        FROM jsonb_each(f.leases) l
    ) AS leases, (SELECT count(*) FROM jsonb_each(f.leases) l WHERE {{theirs}}) AS adopted
    FROM found f
), written AS (
    UPDATE {{instances}} i SET
        leases = n.leases, lease_ends = n.ends,
        due_at = {_DUE.format(wake_at="i.wake_at", ends="n.ends")}
    FROM (SELECT *, {_ENDS.format(leases="changed.leases")} AS ends FROM changed) n
    WHERE i.run_id = n.run_id
)
SELECT coalesce(sum(adopted), 0)::bigint AS adopted FROM changed
"""
_THEIRS = """
    l.value->>'name' = $1 AND l.value->>'incarnation' <> $2
    AND NOT l.value ? 'released' AND (l.value->>'until')::timestamptz > $3
"""

DUE = f"""
WITH known AS (
    SELECT * FROM unnest($3::text[], $4::int[]) AS k(workflow, workflow_version)
), awake AS (
    SELECT i.run_id, least(i.wake_at, i.lease_ends) AS at FROM {{instances}} i
    JOIN known k ON k.workflow = i.workflow AND k.workflow_version = i.workflow_version
    WHERE i.due_at <= $1 AND least(i.wake_at, i.lease_ends) <= $1
        AND (i.handed_until IS NULL OR i.handed_until <= $1)
    ORDER BY i.due_at, least(i.wake_at, i.lease_ends)
    LIMIT $2
), told AS (
    SELECT i.run_id, coalesce(m.not_before, '-infinity') AS at FROM {{inbox}} m
    JOIN {{instances}} i ON i.run_id = m.run_id
    JOIN known k ON k.workflow = i.workflow AND k.workflow_version = i.workflow_version
    WHERE m.body IS NOT NULL AND NOT m.is_seen AND (m.not_before IS NULL OR m.not_before <= $1)
        AND i.status NOT IN {_ENDED} AND (i.handed_until IS NULL OR i.handed_until <= $1)
), picked AS (
    SELECT i.run_id, n.at FROM (
        SELECT run_id, min(at) AS at FROM (SELECT * FROM awake UNION ALL SELECT * FROM told) found
        GROUP BY run_id ORDER BY min(at), run_id LIMIT $2
    ) n
    JOIN {{instances}} i ON i.run_id = n.run_id
    WHERE i.status NOT IN {_ENDED} AND (i.handed_until IS NULL OR i.handed_until <= $1)
    FOR NO KEY UPDATE OF i SKIP LOCKED
), handed AS (
    UPDATE {{instances}} i SET handed_until = $5 FROM picked p WHERE i.run_id = p.run_id
    RETURNING i.run_id, p.at
)
SELECT run_id FROM handed ORDER BY at, run_id
"""

WITHDRAW = """
WITH held AS (
    SELECT run_id FROM {instances}
    WHERE run_id = (SELECT run_id FROM {inbox} WHERE id = $1)
    FOR NO KEY UPDATE
), taken AS (
    UPDATE {inbox} m SET body = NULL FROM held h
    WHERE m.id = $1 AND m.run_id = h.run_id AND m.body IS NOT NULL
    RETURNING m.run_id
)
UPDATE {instances} i SET revision = i.revision + 1 FROM taken t WHERE i.run_id = t.run_id
RETURNING i.run_id
"""


LOCK = "SELECT run_id FROM {instances} WHERE run_id = $1 FOR NO KEY UPDATE"

STANDING = "SELECT run_id, revision, token FROM {instances} WHERE run_id = ANY($1::text[])"

PUT = f"""
INSERT INTO {{instances}} AS i (
    run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
    created_at, updated_at, finished_at, revision, wake_at, due_at
)
SELECT run_id, id, workflow, workflow_version, status, unique_key, initial::jsonb, state::json,
       tags::jsonb, created_at, coalesce(updated_at, created_at),
       CASE WHEN status IN {_ENDED} THEN coalesce(finished_at, created_at) END, revision + 1,
       at_once, at_once
FROM (VALUES (
    $1::text, $2::text, $3::text, $4::int, $5::text, $6::text, $7::text, $8::text, $9::text,
    $10::timestamptz, $11::timestamptz, $12::timestamptz, $13::bigint,
    CASE WHEN $5::text NOT IN {_ENDED} THEN '-infinity'::timestamptz END
)) AS b(run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
        created_at, updated_at, finished_at, revision, at_once)
ON CONFLICT (run_id) DO UPDATE SET
    id = excluded.id, workflow = excluded.workflow, status = excluded.status,
    unique_key = excluded.unique_key, initial = excluded.initial, state = excluded.state,
    tags = excluded.tags, updated_at = coalesce($11, i.created_at),
    finished_at = CASE WHEN excluded.finished_at IS NOT NULL
                  THEN coalesce($12, i.created_at) END,
    revision = i.revision + 1, token = '', leases = '{{{{}}}}', lease_ends = NULL,
    wake_at = excluded.wake_at, due_at = excluded.due_at, handed_until = NULL
"""

UNSET_RESULTS = f"""
WITH gone AS (DELETE FROM {{entries}} WHERE run_id = $1 AND action = '{RESTORED}')
UPDATE {{entries}} SET is_result = false WHERE run_id = $1 AND is_result
"""

RECORD = f"""
INSERT INTO {{entries}} ({", ".join(ENTRY_COLUMNS)})
SELECT e.run_id, e.id, e.action, e.step, e.step_type, e.event, e.attempt, e.duration,
       e.input::jsonb, e.output::jsonb, e.error::jsonb, e.timestamp, e.is_result
FROM {_ENTRIES.format(*range(1, 1 + len(ENTRY_COLUMNS)))}
ON CONFLICT DO NOTHING
"""

DOOMED = """
SELECT run_id FROM {instances}
WHERE run_id = $1 OR (id = $1 AND NOT EXISTS (SELECT FROM {instances} WHERE run_id = $1))
ORDER BY run_id
FOR UPDATE
"""

OLD = """
SELECT run_id FROM {instances}
WHERE finished_at < $1 AND status = ANY($2::text[])
ORDER BY finished_at, run_id
LIMIT $3
FOR UPDATE SKIP LOCKED
"""

DELETE = """
WITH messages AS (DELETE FROM {inbox} WHERE run_id = ANY($1::text[])),
     history AS (DELETE FROM {entries} WHERE run_id = ANY($2::text[]))
DELETE FROM {instances} WHERE run_id = ANY($1::text[])
"""


class Statements(NamedTuple):
    """The statements with the names of the tables in them."""

    create: str
    create_alone: str
    holders: str
    commit: str
    commit_alone: str
    commit_messages: str
    commit_messages_alone: str
    post: str
    read: str
    entries: str
    claim: str
    renew: str
    release: str
    adopt: str
    due: str
    withdraw: str
    lock: str
    standing: str
    put: str
    unset_results: str
    record: str
    doomed: str
    old: str
    delete: str

    def commit_for(self, columns: Sequence[object]) -> str:
        """Return the statement that commits such columns together."""
        return self.commit_messages if len(columns) > _COMMIT_ONLY else self.commit

    def commit_alone_for(self, columns: Sequence[object]) -> str:
        """Return the statement that commits such columns, and waits for others."""
        return self.commit_messages_alone if len(columns) > _COMMIT_ONLY else self.commit_alone

    @classmethod
    def of(cls, tables: Tables) -> "Statements":
        """Return the statements for some tables."""
        names = {name: quoted(table) for name, table in tables._asdict().items()}

        def made(template: str, **parts: str) -> str:
            return template.format(**names, **parts)

        messages = made(MESSAGES)
        skip, known = "SKIP LOCKED", "ON CONFLICT DO NOTHING"
        return cls(
            create=made(CREATE, lock=_TRY, known=known),
            create_alone=made(CREATE, lock=_WAIT, known=known),
            holders=made(HOLDERS),
            commit=made(COMMIT, skip=skip, messages="", known=""),
            commit_alone=made(COMMIT, skip="", messages="", known=known),
            commit_messages=made(COMMIT, skip=skip, messages=messages, known=""),
            commit_messages_alone=made(COMMIT, skip="", messages=messages, known=known),
            post=made(POST),
            read=made(READ),
            entries=made(ENTRIES),
            claim=made(CLAIM),
            renew=made(RENEW),
            release=made(RELEASE),
            adopt=made(ADOPT, theirs=_THEIRS),
            due=made(DUE),
            withdraw=made(WITHDRAW),
            lock=made(LOCK),
            standing=made(STANDING),
            put=made(PUT),
            unset_results=made(UNSET_RESULTS),
            record=made(RECORD),
            doomed=made(DOOMED),
            old=made(OLD),
            delete=made(DELETE),
        )


def quoted(table: Table) -> str:
    """Return the name of a table as it stands in a statement."""
    return postgresql.dialect().identifier_preparer.format_table(table)
