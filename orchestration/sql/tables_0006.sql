-- The spend ledger: what was spent and what is held for calls that are under way, model money and ad money alike.
-- No foreign key to the campaign: what was spent stays spent when a campaign's row goes.
CREATE TABLE marketing.spend (
    campaign_id     text NOT NULL,
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
CREATE INDEX spend_of_ads ON marketing.spend (currency, campaign_id) WHERE kind = 'ads';

-- Sums of the rows of kind 'llm': one per campaign ('campaign:ID'), and one per UTC day of the fleet ('day:2026-01-31')
-- from the moment that a cap on it is looked at (spend_enter_v1).
-- A cap is checked and a hold is granted under the lock of its row, which makes caps hold whoever calls at once.
CREATE TABLE marketing.spend_totals (
    scope    text NOT NULL,
    currency text NOT NULL,
    held     numeric(20, 10) NOT NULL DEFAULT 0 CHECK (held >= 0),
    settled  numeric(20, 10) NOT NULL DEFAULT 0 CHECK (settled >= 0),
    PRIMARY KEY (scope, currency)
) WITH (fillfactor = 50);

-- What units have cost before there was a ledger. Their calls can't be told apart any more: one row per unit.
INSERT INTO marketing.spend (campaign_id, kind, step, stage, unit, entry, currency, agent, provider, model, settled,
                             calls, input_tokens, output_tokens, unpriced_tokens, day)
SELECT campaign_id, 'llm', step, stage, key, 'earlier', currency, agent, provider, model, cost,
       1, input_tokens, output_tokens, unpriced_tokens,
       (coalesce(finished_at, started_at, created_at) AT TIME ZONE 'UTC')::date
FROM marketing.units WHERE cost > 0 OR input_tokens + output_tokens > 0;
INSERT INTO marketing.spend_totals (scope, currency, settled)
SELECT 'campaign:' || campaign_id, currency, sum(settled) FROM marketing.spend GROUP BY 1, 2;
