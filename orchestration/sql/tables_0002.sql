-- A campaign can wait, be stopped, be approved and go back: what that takes.
ALTER TABLE marketing.campaigns
    ADD COLUMN paused_from text,                          -- status to return to when a pause ends
    ADD COLUMN paused_reason text,                        -- and why it waited, if it did
    ADD COLUMN base_step   integer NOT NULL DEFAULT -1,   -- newest checkpoint of the present line of work
    ADD COLUMN hold        jsonb;                         -- what the planned stage waits for, and why

-- The line of work a checkpoint stands in: a campaign that went back to step 1 has steps 0, 4, 5 in its line.
ALTER TABLE marketing.checkpoints ADD COLUMN parent integer;
UPDATE marketing.checkpoints SET parent = step - 1 WHERE step >= 0;
UPDATE marketing.campaigns c SET base_step = coalesce(
    (SELECT max(k.step) FROM marketing.checkpoints k WHERE k.campaign_id = c.campaign_id), -1);

CREATE TABLE marketing.approvals (
    approval_id text PRIMARY KEY,                         -- derived from what is asked, so that it is asked once
    campaign_id text NOT NULL REFERENCES marketing.campaigns ON DELETE CASCADE,
    step        integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('content', 'ads')),
    request     jsonb NOT NULL,                           -- exactly what will be published and spent
    status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'rejected', 'expired', 'withdrawn')),
    reason      text,
    decided_by  text,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    decided_at  timestamptz
);
CREATE INDEX approvals_of_campaign ON marketing.approvals (campaign_id);

-- reconcile also looks at campaigns that wait for a moment or are being wound down.
CREATE INDEX campaigns_alive ON marketing.campaigns (campaign_id)
    WHERE status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'cancelling');
DROP INDEX marketing.campaigns_at_work;

-- Worker processes ask each second what has just been stopped.
CREATE INDEX campaigns_stopped ON marketing.campaigns (updated_at) WHERE status IN ('paused', 'cancelling');
