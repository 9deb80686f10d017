-- Verbs and repairs that look after ads and effects of unknown outcome; schedules as a view.

-- What somebody wants of the ads of a paused campaign: off, or on again. The newest wish of a campaign counts; its
-- units stand in marketing.units at step -number, below all hops, so the campaign itself stays where it is.
CREATE TABLE marketing.ad_switches (
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    number      integer NOT NULL,                  -- from 1
    wanted      text NOT NULL CHECK (wanted IN ('off', 'on')),
    go_on       boolean NOT NULL,                  -- the campaign goes on once its ads are on
    actor       text NOT NULL,
    epoch       integer NOT NULL,                  -- of the campaign: a wish of an abandoned line of work is void
    asked_at    timestamptz NOT NULL DEFAULT now(),
    planned_at  timestamptz,                       -- when its units were written: nothing else was at work then
    settled_at  timestamptz,                       -- carried out, or replaced by a newer wish
    unreached   text[] NOT NULL DEFAULT '{}',      -- platforms that refused
    PRIMARY KEY (campaign_id, number)
);
-- reconcile enters through what has not been carried out.
CREATE INDEX ad_switches_open ON marketing.ad_switches (campaign_id) WHERE settled_at IS NULL;

-- Campaigns that are optimised again and again, to the end of their schedule. A schedule is a hold, not a row of
-- its own, so nothing can fire twice; this view tells what there is.
CREATE VIEW marketing.schedules AS
SELECT s.campaign_id, s.name,
       CASE WHEN s.status = 'paused' THEN 'paused' WHEN s.status = 'waiting' AND s.at_hold THEN 'waiting'
            ELSE 'running' END AS status,
       s.optimize_every,                           -- ISO 8601, such as PT36H
       CASE WHEN s.status IN ('waiting', 'paused') AND s.at_hold THEN s.due_at END AS next_run_at,
       s.ends_at
FROM (
    SELECT c.campaign_id, c.name, c.status, c.due_at,
           coalesce(c.hold ->> 'kind' = 'next_optimization', false) AS at_hold,
           c.state -> 'campaign_config' ->> 'optimize_every' AS optimize_every,
           c.created_at + make_interval(
               days => (c.state -> 'campaign_config' -> 'schedule' ->> 'days')::integer) AS ends_at
    FROM marketing.campaigns c
    WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'paused')
) AS s
WHERE s.optimize_every IS NOT NULL AND (s.ends_at > now() OR s.at_hold);
