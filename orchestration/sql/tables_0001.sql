-- The truth about every campaign. All times are timestamptz (UTC on the wire), money is numeric.
CREATE TABLE marketing.campaigns (
    campaign_id       text PRIMARY KEY,
    name              text NOT NULL,
    idempotency_key   text UNIQUE,
    config_hash       text NOT NULL,
    status            text NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'paused',
                                                      'cancelling', 'completed', 'failed', 'cancelled')),
    reason            text,
    agent             text,                        -- whose hop is at work; null when the campaign has ended
    step              integer NOT NULL,            -- number of the hop; only grows
    stage             integer NOT NULL,            -- fan-out inside the hop, from 0
    stage_name        text NOT NULL,
    stage_size        integer NOT NULL,            -- units planned for the stage
    remaining         integer NOT NULL,            -- units of the stage not finished yet: the join
    revision          bigint NOT NULL DEFAULT 0,   -- raised by whoever else touches the state
    epoch             integer NOT NULL DEFAULT 0,  -- fences results of abandoned lines of work
    due_at            timestamptz,                 -- a wait is a row, not a message
    progress_at       timestamptz NOT NULL DEFAULT now(),
    publishes         integer NOT NULL DEFAULT 0,  -- wake-ups repeated since the last progress
    route             text[] NOT NULL DEFAULT '{}',
    state             jsonb NOT NULL,              -- the small keys of MarketingAgentState
    leads             jsonb NOT NULL DEFAULT '[]', -- the big ones have columns of their own: an UPDATE that does
    qualified_leads   jsonb NOT NULL DEFAULT '[]', -- not name them leaves their TOAST values alone
    generated_content jsonb NOT NULL DEFAULT '[]',
    ad_creatives      jsonb NOT NULL DEFAULT '[]',
    agent_messages    jsonb NOT NULL DEFAULT '[]',
    schema_version    integer NOT NULL,
    flow_version      integer NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, toast_tuple_target = 256);

-- reconcile enters through the few campaigns that are at work.
CREATE INDEX campaigns_at_work ON marketing.campaigns (campaign_id) WHERE status IN ('queued', 'running');
CREATE INDEX campaigns_by_age ON marketing.campaigns (created_at);

-- Memo, effect log, cost record and tape in one. No index but the key: claims and finishes stay HOT.
CREATE TABLE marketing.units (
    campaign_id   text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    step          integer NOT NULL,
    stage         integer NOT NULL,
    key           text NOT NULL,
    ordinal       integer NOT NULL,                -- place in the plan; results are read in this order
    stage_name    text NOT NULL,
    agent         text NOT NULL,
    kind          text NOT NULL,
    provider      text NOT NULL,
    effect_key    text,                            -- set: it changes the outside world
    essential     boolean NOT NULL,
    policy        jsonb NOT NULL,
    status        text NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'skipped', 'unknown')),
    input         jsonb NOT NULL,
    result        jsonb,
    error         jsonb,                           -- of the last attempt that ended in one
    journal       jsonb NOT NULL DEFAULT '{}',     -- what was committed in the middle of the unit
    epoch         integer NOT NULL,
    claims        integer NOT NULL DEFAULT 0,
    attempts      integer NOT NULL DEFAULT 0,      -- calls that ended in an error
    crashes       integer NOT NULL DEFAULT 0,      -- a worker died in it
    worker        text,
    due_at        timestamptz,
    model         text,
    input_tokens  bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    unpriced_tokens bigint NOT NULL DEFAULT 0,     -- tokens of a model without a known price
    cost          numeric(20, 10) NOT NULL DEFAULT 0,
    currency      text NOT NULL DEFAULT 'USD',
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    PRIMARY KEY (campaign_id, step, stage, key)
) WITH (fillfactor = 60, toast_tuple_target = 256);

-- What each step changed, and no more. Step -1 is the state at submit.
CREATE TABLE marketing.checkpoints (
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    step        integer NOT NULL,
    agent       text NOT NULL,
    patch       jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, step)
);

CREATE TABLE marketing.events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL,
    actor       text NOT NULL DEFAULT 'system',
    step        integer,
    agent       text,
    data        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX events_of_campaign ON marketing.events (campaign_id, id);

-- One row per worker process, beaten each second. A lease is the life of this incarnation.
CREATE TABLE marketing.workers (
    worker      text PRIMARY KEY,
    beat_at     timestamptz NOT NULL DEFAULT now(),
    fresh_since timestamptz NOT NULL DEFAULT now() -- start of the present uninterrupted run of beats
);

-- Refusals of campaigns sent by task name: nobody waits for the answer, so it is kept under the key.
CREATE TABLE marketing.refusals (
    idempotency_key text PRIMARY KEY,
    problems        jsonb NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);

-- The user's own leads, read and checked by the client: workers may be on other machines.
CREATE TABLE marketing.lead_files (
    file_id    text PRIMARY KEY,                   -- hash of the content: the same file is stored once
    filename   text NOT NULL,
    rows       jsonb NOT NULL,
    summary    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE marketing.suppressions (
    address_hash text PRIMARY KEY,                 -- SHA-256 of the normalised address
    reason       text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE marketing.documents (
    document_id text PRIMARY KEY,
    title       text NOT NULL,
    source      text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE marketing.chunks (
    chunk_id    text PRIMARY KEY,
    document_id text NOT NULL REFERENCES marketing.documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    text        text NOT NULL,
    lexemes     tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED
);
CREATE INDEX chunks_lexemes ON marketing.chunks USING gin (lexemes);
CREATE INDEX chunks_of_document ON marketing.chunks (document_id);
