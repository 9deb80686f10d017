-- What admission and the retry policy need in the database.

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

-- Each worker process says with its beat what it has counted since it began.
ALTER TABLE marketing.workers ADD COLUMN metrics jsonb NOT NULL DEFAULT '{}';
