-- All tables of the schema. Times are timestamptz (UTC on the wire), money is numeric. What each inserted or updated row
-- of the hot tables costs was measured: foreign keys cost a trigger a row, check constraints are parsed again by every
-- statement, and an index on a column that always changes makes every update write all indexes (it can't be HOT).

-- The world that this database belongs to, in one row: made by the first migration in the mode of who migrates, and changed
-- by `campaigns world set` alone. Unfinished campaigns are always of this mode.
CREATE TABLE marketing.world (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    mode     text NOT NULL CHECK (mode IN ('sandbox', 'live')),
    since    timestamptz NOT NULL DEFAULT now(),
    by       text NOT NULL
);

-- The truth about every campaign.
CREATE TABLE marketing.campaigns (
    campaign_id       text PRIMARY KEY,
    mode              text NOT NULL,               -- its world, for good: sandbox, live
    name              text NOT NULL,
    idempotency_key   text UNIQUE,
    config_hash       text NOT NULL,
    status            text NOT NULL,               -- queued, running, waiting, awaiting_approval, paused, cancelling,
                                                   -- completed, failed, cancelled
    reason            text,
    agent             text,                        -- whose hop is at work; null when the campaign has ended
    step              integer NOT NULL,            -- number of the hop; only grows
    stage             integer NOT NULL,            -- fan-out inside the hop, from 0
    stage_name        text NOT NULL,
    stage_size        integer NOT NULL,            -- units planned for the stage
    remaining         integer NOT NULL,            -- units of the stage not finished yet: the join
    revision          bigint NOT NULL DEFAULT 0,   -- raised by others that touch the state
    epoch             integer NOT NULL DEFAULT 0,  -- fences results of abandoned lines of work
    base_step         integer NOT NULL DEFAULT -1, -- newest checkpoint of the present line of work
    due_at            timestamptz,                 -- a wait is a row, not a message
    hold              jsonb,                       -- what the planned stage waits for, and why
    paused_from       text,                        -- status to return to when a pause ends
    paused_reason     text,                        -- and why it waited, if it did
    progress_at       timestamptz NOT NULL DEFAULT now(),
    publishes         integer NOT NULL DEFAULT 0,  -- wake-ups repeated since the last progress
    route             text[] NOT NULL DEFAULT '{}',
    state             jsonb NOT NULL,              -- the small keys of MarketingAgentState
    leads             jsonb NOT NULL DEFAULT '[]', -- the big ones have columns of their own: an UPDATE that does
    qualified_leads   jsonb NOT NULL DEFAULT '[]', -- not name them leaves their TOAST values alone
    generated_content jsonb NOT NULL DEFAULT '[]',
    ad_creatives      jsonb NOT NULL DEFAULT '[]',
    agent_messages    jsonb NOT NULL DEFAULT '[]',
    in_row            jsonb,                       -- which lists are in the row only, and the checkpoint that names but
                                                   -- doesn't hold them: {"leads": 0}
    schema_version    integer NOT NULL,
    flow_version      integer NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
-- The small keys change at each hop: they stay in the row as they are, with room for its next versions beside it.
) WITH (fillfactor = 40, toast_tuple_target = 3000);
-- Lists that don't fit are written once, uncompressed: compressing costs more than writing what it saves.
ALTER TABLE marketing.campaigns
    ALTER COLUMN state SET STORAGE MAIN,
    ALTER COLUMN leads SET STORAGE EXTERNAL,
    ALTER COLUMN qualified_leads SET STORAGE EXTERNAL,
    ALTER COLUMN generated_content SET STORAGE EXTERNAL,
    ALTER COLUMN ad_creatives SET STORAGE EXTERNAL,
    ALTER COLUMN agent_messages SET STORAGE EXTERNAL;
CREATE INDEX campaigns_by_age ON marketing.campaigns (created_at);
-- reconcile enters through the few campaigns that are at work, wait for a moment or are being cancelled.
CREATE INDEX campaigns_alive ON marketing.campaigns (campaign_id)
    WHERE status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'cancelling');
-- Worker processes ask each second what has just been stopped. Without updated_at, so that a transition, which leaves the
-- status alone, is a HOT update.
CREATE INDEX campaigns_stopped ON marketing.campaigns (campaign_id) WHERE status IN ('paused', 'cancelling');

-- Memo, effect log, cost record and tape in one. No index but the key: claims and finishes stay HOT.
CREATE TABLE marketing.units (
    campaign_id     text NOT NULL,
    step            integer NOT NULL,
    stage           integer NOT NULL,
    key             text NOT NULL,
    ordinal         integer NOT NULL,              -- place in the plan; results are read in this order
    stage_name      text NOT NULL,
    agent           text NOT NULL,
    kind            text NOT NULL,
    provider        text NOT NULL,
    effect_key      text,                          -- set: it changes the outside world
    essential       boolean NOT NULL,
    policy          jsonb NOT NULL,
    status          text NOT NULL,                 -- pending, running, succeeded, failed, skipped, unknown
    input           jsonb NOT NULL,
    result          jsonb,
    error           jsonb,                         -- of the last attempt that ended in one
    journal         jsonb NOT NULL DEFAULT '{}',   -- what was committed in the middle of the unit
    epoch           integer NOT NULL,
    claims          integer NOT NULL DEFAULT 0,
    attempts        integer NOT NULL DEFAULT 0,    -- calls that ended in an error
    crashes         integer NOT NULL DEFAULT 0,    -- a worker died in it
    worker          text,
    due_at          timestamptz,
    model           text,
    input_tokens    bigint NOT NULL DEFAULT 0,
    output_tokens   bigint NOT NULL DEFAULT 0,
    unpriced_tokens bigint NOT NULL DEFAULT 0,     -- tokens of a model without a known price
    cost            numeric(20, 10) NOT NULL DEFAULT 0,
    currency        text NOT NULL DEFAULT 'USD',
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (campaign_id, step, stage, key)
) WITH (fillfactor = 60, toast_tuple_target = 256);

-- What each step changed, and no more. Step -1 is the state at submit.
CREATE TABLE marketing.checkpoints (
    campaign_id text NOT NULL,
    step        integer NOT NULL,
    agent       text NOT NULL,
    patch       jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    parent      integer,                           -- the step before in its line of work: one that went back to step 1
                                                   -- has steps 0, 4, 5 in its line
    PRIMARY KEY (campaign_id, step)
) WITH (toast_tuple_target = 4080);
ALTER TABLE marketing.checkpoints ALTER COLUMN patch SET STORAGE EXTERNAL;

CREATE TABLE marketing.events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    campaign_id text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL,
    actor       text NOT NULL DEFAULT 'system',
    step        integer,
    agent       text,
    data        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (campaign_id, id)                  -- one index for the history, not two
);

-- A campaign takes its rows along by one trigger of its own: deleting is rare, inserting is not.
CREATE FUNCTION marketing.delete_rows_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM marketing.units WHERE campaign_id = OLD.campaign_id;
    DELETE FROM marketing.checkpoints WHERE campaign_id = OLD.campaign_id;
    DELETE FROM marketing.events WHERE campaign_id = OLD.campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_rows AFTER DELETE ON marketing.campaigns
    FOR EACH ROW EXECUTE FUNCTION marketing.delete_rows_of_campaign();

CREATE TABLE marketing.approvals (
    approval_id text PRIMARY KEY,                  -- derived from what is asked, so that it is asked once
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    step        integer NOT NULL,
    kind        text NOT NULL,                     -- the gate that asks, such as content or ads
    request     jsonb NOT NULL,                    -- exactly what will be published and spent
    status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'rejected', 'expired', 'withdrawn')),
    reason      text,
    decided_by  text,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    decided_at  timestamptz
);
CREATE INDEX approvals_of_campaign ON marketing.approvals (campaign_id);

-- Requests to switch the ads of a paused campaign off, or on again, or to change them as people have ordered; and to end
-- those of a campaign that has ended, once its schedule is over. The newest of a campaign counts; its units stand in
-- marketing.units at step -number, below all hops, so the campaign itself stays where it is.
CREATE TABLE marketing.ad_switches (
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    number      integer NOT NULL,                  -- from 1
    wanted      text NOT NULL CHECK (wanted IN ('off', 'on', 'ordered', 'end')),
    orders      jsonb NOT NULL DEFAULT '[]',       -- of a change: what is ordered
    go_on       boolean NOT NULL,                  -- the campaign goes on once that is done
    actor       text NOT NULL,
    agent       text NOT NULL,                     -- whose queue carries it out
    epoch       integer NOT NULL,                  -- of the campaign: a request of an abandoned line of work is void
    asked_at    timestamptz NOT NULL DEFAULT now(),
    planned_at  timestamptz,                       -- when its units were written: nothing else was at work then
    settled_at  timestamptz,                       -- carried out, or replaced by a newer request
    unreached   text[] NOT NULL DEFAULT '{}',      -- what refused
    PRIMARY KEY (campaign_id, number)
);
-- reconcile enters through what has not been carried out.
CREATE INDEX ad_switches_open ON marketing.ad_switches (campaign_id) WHERE settled_at IS NULL;

-- Campaigns that are optimised again and again, to the end of their schedule. A schedule is a wait, not a row of
-- its own, so nothing can fire twice; this view tells what there is.
CREATE VIEW marketing.schedules AS
SELECT s.campaign_id, s.name, s.mode,
       CASE WHEN s.status = 'paused' THEN 'paused' WHEN s.status = 'waiting' AND s.at_hold THEN 'waiting'
            ELSE 'running' END AS status,
       s.optimize_every,                           -- ISO 8601, such as PT36H
       CASE WHEN s.status IN ('waiting', 'paused') AND s.at_hold THEN s.due_at END AS next_run_at,
       s.ends_at
FROM (
    SELECT c.campaign_id, c.name, c.mode, c.status, c.due_at,
           coalesce(c.hold ->> 'kind' = 'next_optimization', false) AS at_hold,
           c.state -> 'campaign_config' ->> 'optimize_every' AS optimize_every,
           c.created_at + make_interval(
               days => (c.state -> 'campaign_config' -> 'schedule' ->> 'days')::integer) AS ends_at
    FROM marketing.campaigns c
    WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'paused')
) AS s
WHERE s.optimize_every IS NOT NULL AND (s.ends_at > now() OR s.at_hold);

-- One row per worker process, beaten each second. A lease is the life of this incarnation.
CREATE TABLE marketing.workers (
    worker      text PRIMARY KEY,
    beat_at     timestamptz NOT NULL DEFAULT now(),
    fresh_since timestamptz NOT NULL DEFAULT now(), -- start of the present uninterrupted run of beats
    lost        jsonb NOT NULL DEFAULT '[]',        -- units that counted a crash when it was declared dead
    metrics     jsonb NOT NULL DEFAULT '{}'         -- what it has counted since it began
);

-- Events of the fleet (a breaker that opened, a switch that was thrown) belong to no campaign.
CREATE TABLE marketing.fleet_events (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at    timestamptz NOT NULL DEFAULT now(),
    kind  text NOT NULL,
    actor text NOT NULL DEFAULT 'system',
    data  jsonb NOT NULL DEFAULT '{}'
);

-- Providers that a person has switched off. In Postgres, because a flush of Redis must not switch them on again.
CREATE TABLE marketing.kill_switches (
    provider text PRIMARY KEY,
    reason   text,
    by       text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);

-- Refusals of campaigns sent by task name: no one waits for the answer, so it is kept under the key.
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

-- People who must not be addressed, nor stored again. A row is what is left of someone who was erased.
CREATE TABLE marketing.suppressions (
    address_hash text PRIMARY KEY,                 -- SHA-256 of an address or its mailbox, or a hash of what else names them
    reason       text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);

-- People who are excluded by hand from what a campaign still does (`campaigns leads ID --exclude`).
CREATE TABLE marketing.exclusions (
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    lead_id     text NOT NULL,
    hashes      text[] NOT NULL,                   -- by which the person is found under other ids, too
    reason      text NOT NULL,                     -- '' for none
    by          text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, lead_id)
);

-- Campaigns that keep people for a time after their end (`retention` in their configuration), and when that was over.
CREATE TABLE marketing.retentions (
    campaign_id text PRIMARY KEY REFERENCES marketing.campaigns ON DELETE CASCADE,
    keep        interval NOT NULL,
    swept_at    timestamptz
);
-- The tick enters through those that still have people.
CREATE INDEX retentions_open ON marketing.retentions (campaign_id) WHERE swept_at IS NULL;

-- Customer lists that campaigns have at ad platforms. No foreign key to the campaign: a list stays when its row goes.
CREATE TABLE marketing.customer_lists (
    platform      text NOT NULL,
    list_id       text NOT NULL,                   -- the platform's
    campaign_id   text NOT NULL,
    filling_until timestamptz,                     -- members may arrive there until then, whatever was asked before
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, list_id)
);
CREATE INDEX customer_lists_of_campaign ON marketing.customer_lists (campaign_id);

-- People who have to be taken off a list at a platform. A row goes when that is done.
CREATE TABLE marketing.list_removals (
    platform text NOT NULL,
    list_id  text NOT NULL,
    member   text NOT NULL,                        -- the platform's own form of a hash; '' stands for all: the list goes
    attempts integer NOT NULL DEFAULT 0,
    due_at   timestamptz NOT NULL DEFAULT now(),
    error    text,                                 -- why the last attempt failed
    PRIMARY KEY (platform, list_id, member)
);

-- Leads that campaigns have put somewhere, or may have: what is needed to take them off there again. Without an address, and
-- without a foreign key to the campaign: what is there stays when its row goes.
CREATE TABLE marketing.deliveries (
    campaign_id    text NOT NULL,
    label          text NOT NULL,                  -- of the place, as the campaign names it
    key            text NOT NULL,                  -- idempotency key of the lead
    lead_id        text NOT NULL,
    target         text NOT NULL,                  -- provider of the place
    path           text NOT NULL,
    address        text NOT NULL,                  -- SHA-256 of the address that was sent; '' for none
    hashes         text[] NOT NULL,                -- by which an erasure finds the person
    was_there      boolean NOT NULL,               -- before us, by whomever it was put there
    sent_at        timestamptz NOT NULL DEFAULT now(),  -- the first time
    sending_until  timestamptz,                    -- it may arrive until then, whatever was asked before
    remote_id      text,                           -- the place's; null as long as nothing says that it arrived
    refused        text,                           -- the place's code for why it was not taken
    removal_due_at timestamptz,                    -- set: the lead has to be taken off
    attempts       integer NOT NULL DEFAULT 0,
    error          text,                           -- why the last attempt to take it off failed
    PRIMARY KEY (campaign_id, label, key)
);
CREATE INDEX deliveries_to_remove ON marketing.deliveries (removal_due_at) WHERE removal_due_at IS NOT NULL;

-- What came of leads, as people and other systems report it. No foreign key to the campaign, and nothing personal: what was
-- learned stays when its row or a person goes, whose lead then is a random text.
CREATE TABLE marketing.outcomes (
    number      bigint GENERATED ALWAYS AS IDENTITY,
    campaign_id text NOT NULL,
    lead_id     text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('won', 'meeting', 'lost', 'bounced')),
    at          timestamptz NOT NULL,
    mode        text NOT NULL,                     -- the campaign's world: the sandbox teaches nothing about live leads
    account     text NOT NULL,                     -- whose offer it was: the brand's name, or ''
    audience    text NOT NULL,                     -- what the campaign asked for
    rule        double precision NOT NULL,         -- the rule's score of the lead, 0..1
    traits      jsonb NOT NULL,                    -- of the lead, such as ["seniority=owner", "size>50"]
    actor       text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, lead_id, at, outcome)
);
CREATE INDEX outcomes_of_audience ON marketing.outcomes (mode, account, audience);

-- What outcomes have taught, by account and audience ('' for all audiences of the account). A version is never changed.
CREATE TABLE marketing.lead_weights (
    mode              text NOT NULL,
    account           text NOT NULL,
    audience          text NOT NULL,
    version           integer NOT NULL,            -- from 1
    weights           jsonb NOT NULL,
    seen              integer NOT NULL,            -- reports that it was made after
    used              boolean NOT NULL,            -- better than the rule on outcomes that it had not seen
    reason            text NOT NULL,               -- why it is used, or not
    auc               double precision NOT NULL,   -- on those outcomes, ...
    rule_auc          double precision NOT NULL,   -- ... and the rule's
    calibration_error double precision NOT NULL,   -- expected, likewise
    at                timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mode, account, audience, version)
);

-- The spend ledger: what was spent and what is held for calls that are under way, model money and ad money alike.
-- No foreign key to the campaign: what was spent stays spent when a campaign's row goes.
CREATE TABLE marketing.spend (
    campaign_id     text NOT NULL,
    mode            text NOT NULL,                 -- the campaign's: money of two worlds is never in one sum
    kind            text NOT NULL CHECK (kind IN ('llm', 'ads')),
    step            integer NOT NULL,              -- of ads -1, as the stage: what runs on a platform belongs to no hop,
    stage           integer NOT NULL,              -- so that no update, retry or going back counts it a second time
    unit            text NOT NULL,                 -- of ads the effect key of the platform's object
    entry           text NOT NULL,                 -- the journal entry that the call's answer goes to; of ads 'ads'
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    agent           text NOT NULL,
    provider        text NOT NULL,
    model           text,
    held            numeric(20, 10) NOT NULL DEFAULT 0 CHECK (held >= 0),     -- the most that may still come
    settled         numeric(20, 10) NOT NULL DEFAULT 0 CHECK (settled >= 0),  -- what has come
    calls           integer NOT NULL DEFAULT 0,    -- calls that were paid for
    claim           integer,                       -- the unit's claim that made the hold; null when no call is under way
    presumed        integer,                       -- the newest claim whose call was counted at its bound
    input_tokens    bigint NOT NULL DEFAULT 0,
    output_tokens   bigint NOT NULL DEFAULT 0,
    unpriced_tokens bigint NOT NULL DEFAULT 0,     -- tokens of a model without a known price
    refused         text,                          -- the cap that said no last, and to how much; null once granted
    wanted          numeric(20, 10),
    wanted_daily    numeric(20, 10),
    daily           numeric(20, 10) NOT NULL DEFAULT 0,  -- of ads: the daily budget that runs, ...
    until           timestamptz,                         -- ... until then,
    reported        jsonb NOT NULL DEFAULT '{}',         -- and its spend as last reported: {revision: {day: amount}}
    day             date NOT NULL,                 -- UTC day of the newest call
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, step, stage, unit, entry, currency)
) WITH (fillfactor = 70);
CREATE INDEX spend_by_day ON marketing.spend (day) WHERE kind = 'llm';
CREATE INDEX spend_under_way ON marketing.spend (campaign_id) WHERE claim IS NOT NULL;
CREATE INDEX spend_of_ads ON marketing.spend (currency, campaign_id) WHERE kind = 'ads';

-- Sums of the rows of kind 'llm': one per campaign ('campaign:ID'), and one per world and UTC day
-- ('day:live:2026-01-31') from the moment that a cap on it is looked at (spend_enter).
-- A cap is checked and a hold is granted under the lock of its row, which makes caps hold for calls at once.
CREATE TABLE marketing.spend_totals (
    scope    text NOT NULL,
    currency text NOT NULL,
    held     numeric(20, 10) NOT NULL DEFAULT 0 CHECK (held >= 0),
    settled  numeric(20, 10) NOT NULL DEFAULT 0 CHECK (settled >= 0),
    PRIMARY KEY (scope, currency)
) WITH (fillfactor = 50);
