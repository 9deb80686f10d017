-- Units that may not start now, and campaigns that wait with them.

-- Let campaigns wait whose stage at work has nothing running and nothing to do before its deferred units come due.
-- A deferred unit's error says what it waits for ("wait": provider | budget); other delays are short or have a
-- wake-up of their own. p_campaigns NULL: look at all. Safe to run any number of times in parallel.
CREATE FUNCTION marketing.park_v1(p_campaigns text[], p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    parked integer;
BEGIN
    WITH held_up AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status = 'running' AND c.remaining > 0 AND (p_campaigns IS NULL OR c.campaign_id = ANY(p_campaigns))
          AND EXISTS (
              SELECT FROM marketing.units u
              WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage AND u.epoch = c.epoch
                AND u.status IN ('pending', 'unknown') AND u.error ->> 'wait' IS NOT NULL)
          AND NOT EXISTS (
              SELECT FROM marketing.units u
              WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage AND u.epoch = c.epoch
                AND (u.status = 'running'
                     OR (u.status IN ('pending', 'unknown')
                         AND (u.due_at IS NULL
                              OR u.due_at <= clock_timestamp() + CASE WHEN u.error ->> 'wait' IS NULL
                                                                      THEN interval '60 seconds' ELSE interval '0' END))))
        ORDER BY c.campaign_id LIMIT p_limit FOR UPDATE OF c SKIP LOCKED
    ), now_waiting AS (
        SELECT h.campaign_id, w.due_at, w.error,
               CASE WHEN w.error ->> 'code' IN ('circuit_open', 'over_budget') THEN w.error ->> 'code' ELSE 'outage' END
               || ': ' || (w.error ->> 'provider') || ': ' || (w.error ->> 'message') AS reason
        FROM held_up h
        JOIN marketing.campaigns c ON c.campaign_id = h.campaign_id
        CROSS JOIN LATERAL (
            SELECT u.due_at, u.error FROM marketing.units u
            WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage AND u.epoch = c.epoch
              AND u.status IN ('pending', 'unknown') AND u.error ->> 'wait' IS NOT NULL
            ORDER BY u.due_at LIMIT 1
        ) AS w
    ), noted AS (
        -- The history tells when a wait begins and when its reason changes, not each look in between.
        INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
        SELECT c.campaign_id, 'waiting', c.step, c.agent,
               jsonb_build_object('reason', n.reason, 'kind', n.error -> 'wait', 'provider', n.error -> 'provider')
        FROM now_waiting n JOIN marketing.campaigns c ON c.campaign_id = n.campaign_id
        WHERE c.hold ->> 'kind' IS DISTINCT FROM n.error ->> 'wait'
           OR c.hold ->> 'provider' IS DISTINCT FROM n.error ->> 'provider'
    )
    UPDATE marketing.campaigns c
    SET status = 'waiting', due_at = n.due_at, updated_at = now(),
        reason = n.reason,
        hold = jsonb_build_object('kind', n.error -> 'wait', 'provider', n.error -> 'provider')
    FROM now_waiting n WHERE c.campaign_id = n.campaign_id;
    GET DIAGNOSTICS parked = ROW_COUNT;
    RETURN parked;
END $$;

-- Let campaigns look again whose provider (or budget) may be there again: their reason stays until they get further,
-- and nothing is said about each look. Returns how many.
CREATE FUNCTION marketing.look_again_v1(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    looking integer;
BEGIN
    WITH over AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status = 'waiting' AND c.hold ->> 'kind' IN ('provider', 'budget')
          -- A late result may have ended the stage meanwhile.
          AND (c.due_at <= clock_timestamp() OR c.remaining = 0)
        ORDER BY c.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    )
    UPDATE marketing.campaigns c
    SET status = 'running', due_at = NULL, progress_at = clock_timestamp() - interval '1 day', publishes = 0
    FROM over WHERE c.campaign_id = over.campaign_id;
    GET DIAGNOSTICS looking = ROW_COUNT;
    RETURN looking;
END $$;

-- As give_back_v1. What waits for a provider remembers since when (journal: waiting_since); a deferral is told once
-- in the history, until its reason changes. A campaign that has nothing else to do waits with its unit.
CREATE FUNCTION marketing.give_back_v2(
    p_campaign text, p_step integer, p_stage integer, p_key text, p_worker text, p_status text, p_delay double precision,
    p_error jsonb, p_attempt boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    old marketing.units;
BEGIN
    SELECT * INTO old FROM marketing.units u
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key
      AND u.status = 'running' AND u.worker = p_worker
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE marketing.units u
    SET status = p_status, worker = NULL, error = p_error, attempts = u.attempts + p_attempt::integer,
        due_at = clock_timestamp() + make_interval(secs => p_delay),
        journal = CASE WHEN p_error ->> 'wait' = 'provider' AND NOT u.journal ? 'waiting_since'
                       THEN u.journal || jsonb_build_object('waiting_since', clock_timestamp()) ELSE u.journal END
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key;
    IF p_attempt OR (old.error ->> 'code', old.error ->> 'wait')
                    IS DISTINCT FROM (p_error ->> 'code', p_error ->> 'wait') THEN
        INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
        VALUES (p_campaign, CASE WHEN p_attempt THEN 'unit_retry' ELSE 'unit_deferred' END, p_step, old.agent,
                jsonb_build_object('unit', p_key, 'provider', p_error -> 'provider', 'code', p_error -> 'code',
                                   'message', p_error -> 'message', 'delay_s', round(p_delay::numeric, 3)));
    END IF;
    IF p_error ->> 'wait' IS NOT NULL THEN
        -- One after the other: of two that are given back together, the later one sees that it is the last.
        PERFORM FROM marketing.campaigns WHERE campaign_id = p_campaign FOR UPDATE;
        PERFORM marketing.park_v1(ARRAY[p_campaign], 1);
    END IF;
    RETURN true;
END $$;

-- Let everything that waits for a provider, or for a budget, look again in p_delay seconds. NULL: any provider, all
-- campaigns.
CREATE FUNCTION marketing.wake_waiting_v1(
    p_kind text, p_provider text, p_campaign text, p_delay double precision
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp() + make_interval(secs => p_delay);
    woken integer;
BEGIN
    UPDATE marketing.units u SET due_at = moment
    FROM marketing.campaigns c
    WHERE c.status IN ('running', 'waiting', 'paused', 'cancelling') AND (p_campaign IS NULL OR c.campaign_id = p_campaign)
      AND u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
      AND u.status IN ('pending', 'unknown') AND u.due_at > moment
      AND u.error ->> 'wait' = p_kind AND (p_provider IS NULL OR u.error ->> 'provider' = p_provider);
    UPDATE marketing.campaigns c SET due_at = moment
    WHERE c.status IN ('waiting', 'paused') AND c.due_at > moment AND c.hold ->> 'kind' = p_kind
      AND (p_provider IS NULL OR c.hold ->> 'provider' = p_provider) AND (p_campaign IS NULL OR c.campaign_id = p_campaign);
    GET DIAGNOSTICS woken = ROW_COUNT;
    RETURN woken;
END $$;

-- Switch a provider off for the whole fleet, or on again; who and why is an event. False when it was so already.
CREATE FUNCTION marketing.throw_switch_v1(p_provider text, p_off boolean, p_actor text, p_reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    IF p_off THEN
        INSERT INTO marketing.kill_switches (provider, reason, by) VALUES (p_provider, p_reason, p_actor)
        ON CONFLICT (provider) DO NOTHING;
    ELSE
        DELETE FROM marketing.kill_switches WHERE provider = p_provider;
    END IF;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed > 0 THEN
        INSERT INTO marketing.fleet_events (kind, actor, data)
        VALUES (CASE WHEN p_off THEN 'provider_switched_off' ELSE 'provider_switched_on' END, p_actor,
                jsonb_build_object('provider', p_provider, 'reason', p_reason));
    END IF;
    RETURN changed > 0;
END $$;

-- As beat_v2, with what the worker has counted; returns what has been stopped in the last minutes ('campaign', id)
-- and which providers are switched off ('provider', name).
CREATE FUNCTION marketing.beat_v3(p_worker text, p_metrics jsonb) RETURNS TABLE (what text, name text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM marketing.beat_v1(p_worker);
    UPDATE marketing.workers w SET metrics = p_metrics WHERE w.worker = p_worker AND w.metrics <> p_metrics;
    RETURN QUERY SELECT 'campaign', c.campaign_id FROM marketing.campaigns c
                 WHERE c.status IN ('paused', 'cancelling') AND c.updated_at > clock_timestamp() - interval '10 minutes';
    RETURN QUERY SELECT 'provider', k.provider FROM marketing.kill_switches k;
END $$;
