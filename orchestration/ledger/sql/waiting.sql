-- Units that may not start now, campaigns that wait with them, and the tick that repairs and wakes.

-- Give a unit back: after an error that is worth a retry, or because it may not start now; nothing is done when the claim
-- was lost meanwhile, even to a later one of the same worker. What waits for a provider
-- remembers since when (journal: waiting_since); a deferral is told once in the history, until its reason changes. A
-- campaign that has nothing else to do waits with its unit.
CREATE FUNCTION marketing.give_back(
    p_campaign text, p_step integer, p_stage integer, p_key text, p_worker text, p_claims integer, p_status text,
    p_delay double precision, p_error jsonb, p_attempt boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    old marketing.units;
BEGIN
    SELECT * INTO old FROM marketing.units u
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key
      AND u.status = 'running' AND u.worker = p_worker AND u.claims = p_claims
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
    -- Whoever gives back had been woken: the next wake-up that is lost is repeated soon.
    UPDATE marketing.campaigns c SET publishes = 0 WHERE c.campaign_id = p_campaign AND c.publishes > 0;
    IF p_error ->> 'wait' IS NOT NULL THEN
        -- One after the other: of two that are given back together, the later one sees that it is the last.
        PERFORM FROM marketing.campaigns WHERE campaign_id = p_campaign FOR UPDATE;
        PERFORM marketing.park(ARRAY[p_campaign], 1);
    END IF;
    RETURN true;
END $$;

-- Park campaigns whose stage at work has nothing running and nothing to do before its deferred units come due.
-- A deferred unit's error says what it waits for ("wait": provider | budget); other delays are short or have a
-- wake-up of their own. p_campaigns NULL: look at all. Safe to run any number of times in parallel.
CREATE FUNCTION marketing.park(p_campaigns text[], p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
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

-- Resume parked campaigns that are due, whose provider (or budget) may be there again: their reason stays until they get
-- further, and their history does not tell of it. Returns how many.
CREATE FUNCTION marketing.resume_due(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    resumed integer;
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
    GET DIAGNOSTICS resumed = ROW_COUNT;
    RETURN resumed;
END $$;

-- Make everything that waits for a provider, or for a budget, due in p_delay seconds. NULL: all providers, all
-- campaigns.
CREATE FUNCTION marketing.wake_waiting(
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

-- Say that a worker is alive, with what it has counted; returns what has been stopped in the last minutes ('campaign', id)
-- and which providers are switched off ('provider', name). A worker that was declared dead and answers after all did not
-- crash: what its units counted for it is taken back. A worker of another world than the database's is not alive here: it
-- is told so ('world', the database's mode).
CREATE FUNCTION marketing.beat(p_worker text, p_mode text, p_metrics jsonb) RETURNS TABLE (what text, name text)
LANGUAGE plpgsql AS $$
DECLARE
    wronged jsonb;
BEGIN
    RETURN QUERY SELECT 'world', w.mode FROM marketing.world w WHERE w.mode <> p_mode;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO marketing.workers AS w (worker) VALUES (p_worker)
    ON CONFLICT (worker) DO UPDATE
    SET beat_at = clock_timestamp(),
        fresh_since = CASE WHEN clock_timestamp() - w.beat_at > interval '5 seconds' THEN clock_timestamp()
                           ELSE w.fresh_since END
    RETURNING w.lost INTO wronged;
    IF wronged <> '[]' THEN
        UPDATE marketing.workers w SET lost = '[]' WHERE w.worker = p_worker;
        UPDATE marketing.units u SET crashes = greatest(0, u.crashes - l.times)
        FROM (SELECT o.campaign, o.step, o.stage, o.key, count(*) AS times
              FROM jsonb_to_recordset(wronged) AS o(campaign text, step integer, stage integer, key text)
              GROUP BY o.campaign, o.step, o.stage, o.key) AS l  -- one that was lost twice is in it twice
        WHERE u.campaign_id = l.campaign AND u.step = l.step AND u.stage = l.stage AND u.key = l.key
          AND u.status IN ('pending', 'unknown', 'running');
        INSERT INTO marketing.fleet_events (kind, data)
        VALUES ('worker_back', jsonb_build_object('worker', p_worker, 'units', jsonb_array_length(wronged)));
    END IF;
    UPDATE marketing.workers w SET metrics = p_metrics WHERE w.worker = p_worker AND w.metrics <> p_metrics;
    RETURN QUERY SELECT 'campaign', c.campaign_id FROM marketing.campaigns c
                 WHERE c.status IN ('paused', 'cancelling') AND c.updated_at > clock_timestamp() - interval '10 minutes';
    RETURN QUERY SELECT 'provider', k.provider FROM marketing.kill_switches k;
END $$;

-- Objects that an effect may have made although its journal knows no id; agents.effects.unsettled in SQL.
CREATE FUNCTION marketing.unsettled(p_journal jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg(substr(e.key, 8) ORDER BY e.key COLLATE "C"), '{}')
    FROM jsonb_each(p_journal) AS e
    WHERE e.key LIKE 'intent:%' AND p_journal ->> ('remote:' || substr(e.key, 8)) IS NULL
      AND p_journal ->> ('ended:' || (e.value ->> 'token')) IS DISTINCT FROM 'refused'
$$;

-- The error of a unit whose workers died.
CREATE FUNCTION marketing.crash_error(p_provider text, p_crashes integer) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('code', 'crashed', 'provider', p_provider, 'message',
                              'its worker died ' || p_crashes || ' times while it ran')
$$;

-- Whether a request about a campaign's ads is carried out while the campaign has this status.
CREATE FUNCTION marketing.carried_out(p_wanted text, p_status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_wanted = 'end' THEN p_status IN ('completed', 'failed', 'cancelled') ELSE p_status = 'paused' END
$$;

-- Let campaigns go on whose wait is over: those that wait for their next optimisation (p_optimizations), or all others.
-- reconcile wakes them. Returns how many. Safe to run any number of times in parallel.
CREATE FUNCTION marketing.end_waits(p_mode text, p_optimizations boolean, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    ended integer;
BEGIN
    WITH over AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status = 'waiting' AND c.mode = p_mode AND c.due_at <= clock_timestamp()
          AND (c.hold ->> 'kind' IS NOT DISTINCT FROM 'next_optimization') = p_optimizations
        ORDER BY c.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), gone_on AS (
        UPDATE marketing.campaigns c
        SET status = 'running', reason = NULL, due_at = NULL, hold = NULL, publishes = 0,
            progress_at = clock_timestamp() - interval '1 day'
        FROM over WHERE c.campaign_id = over.campaign_id
        RETURNING c.campaign_id, c.step, c.agent
    )
    INSERT INTO marketing.events (campaign_id, kind, step, agent)
    SELECT g.campaign_id, 'wait_over', g.step, g.agent FROM gone_on g;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

-- Repair what was dropped and list the campaigns that may need a wake-up: (campaign, agent, step, no progress since).
-- Safe to run any number of times in parallel. p_worker is the judge: it declares no worker dead until it has itself
-- beaten without a gap for as long as the lease, to this moment, and Postgres has been up for as long. Who has claimed
-- something within the lease is not dead either. A judge of another world than the database's does and finds nothing.
CREATE FUNCTION marketing.reconcile(
    p_worker text, p_mode text, p_lease double precision, p_gap double precision, p_stale double precision,
    p_max_crashes integer,
    p_limit integer
) RETURNS TABLE (idle_campaign text, idle_agent text, idle_step integer, idle_since timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    may_judge boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM marketing.world w WHERE w.mode = p_mode) THEN
        RETURN;
    END IF;
    SELECT w.fresh_since <= clock_timestamp() - make_interval(secs => p_lease)
           AND w.beat_at > clock_timestamp() - make_interval(secs => p_gap)
           AND pg_postmaster_start_time() <= clock_timestamp() - make_interval(secs => p_lease)
    INTO may_judge FROM marketing.workers w WHERE w.worker = p_worker;

    IF coalesce(may_judge, false) THEN
        WITH places AS (
            SELECT c.campaign_id, c.step, c.stage, false AS requested FROM marketing.campaigns c
            WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'cancelling') AND c.remaining > 0
            UNION ALL
            SELECT c.campaign_id, c.step, c.stage, true
            FROM marketing.ad_switches s JOIN marketing.campaigns c USING (campaign_id)
            WHERE s.settled_at IS NULL AND c.status = 'paused' AND c.remaining > 0
            UNION ALL
            SELECT s.campaign_id, -earlier.number, 0, true FROM marketing.ad_switches s
            JOIN marketing.ad_switches earlier USING (campaign_id)
            WHERE s.settled_at IS NULL
        ), lost AS (
            SELECT u.campaign_id, u.step, u.stage, u.key, u.worker
            FROM places p
            JOIN marketing.units u ON u.campaign_id = p.campaign_id AND u.step = p.step AND u.stage = p.stage
            WHERE u.status = 'running'
              AND ((coalesce(u.started_at, '-infinity') < clock_timestamp() - make_interval(secs => p_lease)
                    AND NOT EXISTS (SELECT FROM marketing.workers w WHERE w.worker = u.worker
                                    AND w.beat_at > clock_timestamp() - make_interval(secs => p_lease)))
                   -- A worker looks for claims that it holds without knowing, but not of paused campaigns. One that
                   -- is at work after all finds its claim gone before it sends anything, and its result is taken.
                   OR (p.requested AND u.started_at < clock_timestamp() - interval '5 minutes'))
            ORDER BY u.campaign_id, u.step, u.key LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
        ), given_back AS (
            UPDATE marketing.units u
            SET status = CASE WHEN u.effect_key IS NULL THEN 'pending' ELSE 'unknown' END, worker = NULL,
                crashes = u.crashes + 1
            FROM lost WHERE u.campaign_id = lost.campaign_id AND u.step = lost.step AND u.stage = lost.stage
                        AND u.key = lost.key
            RETURNING u.campaign_id, u.step, u.stage, u.agent, u.key, u.crashes, lost.worker
        ), noted AS (
            INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
            SELECT g.campaign_id, 'unit_lost', g.step, g.agent, jsonb_build_object('unit', g.key, 'crashes', g.crashes)
            FROM given_back g
        ), remembered AS (
            UPDATE marketing.workers w SET lost = w.lost || theirs.units
            FROM (SELECT g.worker, jsonb_agg(jsonb_build_object('campaign', g.campaign_id, 'step', g.step,
                                                                'stage', g.stage, 'key', g.key)) AS units
                  FROM given_back g GROUP BY g.worker) AS theirs
            WHERE w.worker = theirs.worker
        )
        UPDATE marketing.campaigns c SET publishes = 0, progress_at = clock_timestamp() - interval '1 day'
        WHERE c.campaign_id IN (SELECT g.campaign_id FROM given_back g);
        DELETE FROM marketing.workers w WHERE w.beat_at < clock_timestamp() - interval '1 hour';
    END IF;

    -- An effect that was running in six workers that died, and that may have been carried out, waits for a person. Its
    -- crashes begin anew, at a number that still makes it run alone: the person decides that it is tried again.
    WITH crashed AS (
        SELECT u.campaign_id, u.step, u.stage, u.key, u.crashes
        FROM marketing.campaigns c
        JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
        WHERE c.status = 'running' AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes
          AND u.effect_key IS NOT NULL AND marketing.unsettled(u.journal) <> '{}'
        FOR UPDATE OF u SKIP LOCKED
    ), kept AS (
        UPDATE marketing.units u
        SET status = 'unknown', worker = NULL, crashes = p_max_crashes / 2,
            error = marketing.crash_error(u.provider, crashed.crashes)
        FROM crashed WHERE u.campaign_id = crashed.campaign_id AND u.step = crashed.step AND u.stage = crashed.stage
                       AND u.key = crashed.key
        RETURNING u.campaign_id, u.step, u.agent, u.key, u.provider, u.error ->> 'message' AS message,
                  marketing.unsettled(u.journal) AS steps
    ), noted AS (
        INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
        SELECT k.campaign_id, 'needs_attention', k.step, k.agent,
               jsonb_build_object('unit', k.key, 'provider', k.provider, 'message', k.message, 'steps', to_jsonb(k.steps))
        FROM kept k
    ), asked AS (
        SELECT k.campaign_id, string_agg(k.key || ': ' || k.provider || ': ' || k.message, '; ' ORDER BY k.key) AS what
        FROM kept k GROUP BY k.campaign_id
    )
    UPDATE marketing.campaigns c
    SET status = 'waiting', reason = 'needs_attention: ' || asked.what, due_at = NULL, hold = NULL,
        revision = c.revision + 1, updated_at = now()
    FROM asked WHERE c.campaign_id = asked.campaign_id AND c.status = 'running';

    -- Any other unit that was running in six workers that died is poison: it fails alone, with a plain reason.
    WITH poison AS (
        UPDATE marketing.units u
        SET status = 'failed', finished_at = clock_timestamp(), error = marketing.crash_error(u.provider, u.crashes)
        FROM marketing.campaigns c
        WHERE (c.status = 'running' OR (c.status = 'cancelling' AND c.stage_name = 'wind_down'))
          AND c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage
          AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes
          AND (u.effect_key IS NULL OR marketing.unsettled(u.journal) = '{}')
        RETURNING u.campaign_id
    ), counted AS (
        SELECT p.campaign_id, count(*)::integer AS n FROM poison p GROUP BY p.campaign_id
    )
    UPDATE marketing.campaigns c SET remaining = c.remaining - counted.n FROM counted
    WHERE c.campaign_id = counted.campaign_id;
    UPDATE marketing.units u
    SET status = 'failed', finished_at = clock_timestamp(), error = marketing.crash_error(u.provider, u.crashes)
    FROM marketing.ad_switches s
    WHERE s.settled_at IS NULL AND u.campaign_id = s.campaign_id AND u.step = -s.number
      AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes;

    PERFORM marketing.end_waits(p_mode, false, p_limit);

    RETURN QUERY
    SELECT * FROM (
        SELECT c.campaign_id, coalesce(c.agent, ''), c.step, c.progress_at AS since FROM marketing.campaigns c
        WHERE c.mode = p_mode AND ((c.status IN ('queued', 'running')
                AND (c.remaining = 0 OR EXISTS (
                    SELECT FROM marketing.units u
                    WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
                      AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp()))))
               OR (c.status = 'cancelling' AND (c.stage_name = 'wind_down' OR NOT EXISTS (
                    SELECT FROM marketing.units u
                    WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
                      AND u.status = 'running'))))
          AND c.progress_at < clock_timestamp() - make_interval(secs => p_stale * 2 ^ least(c.publishes, 6))
        UNION ALL
        SELECT c.campaign_id, s.agent, c.step, c.progress_at FROM marketing.ad_switches s
        JOIN marketing.campaigns c ON c.campaign_id = s.campaign_id AND c.epoch = s.epoch AND c.mode = p_mode
                                  AND marketing.carried_out(s.wanted, c.status)
        WHERE s.settled_at IS NULL
          AND NOT EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = c.campaign_id AND u.status = 'running'
                          AND ((u.step = c.step AND u.stage = c.stage AND s.wanted <> 'end') OR u.step < 0))
          AND (s.planned_at IS NULL
               OR NOT EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = s.campaign_id AND u.step = -s.number
                              AND u.status IN ('pending', 'unknown') AND u.due_at > clock_timestamp())
               OR EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = s.campaign_id AND u.step = -s.number
                          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())))
          AND c.progress_at < clock_timestamp() - make_interval(secs => p_stale * 2 ^ least(c.publishes, 6))
    ) AS idle ORDER BY idle.since LIMIT p_limit;
END $$;

-- Take the right to wake these campaigns: those that have made no progress since they were listed.
CREATE FUNCTION marketing.claim_wakeups(p_campaigns text[], p_since timestamptz[])
RETURNS TABLE (woken_campaign text, woken_step integer) LANGUAGE sql AS $$
    WITH asked AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        JOIN unnest(p_campaigns, p_since) AS a(campaign_id, since)
          ON a.campaign_id = c.campaign_id AND a.since = c.progress_at
        FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE marketing.campaigns c SET progress_at = clock_timestamp(), publishes = c.publishes + 1
    FROM asked WHERE c.campaign_id = asked.campaign_id
    RETURNING c.campaign_id, c.step
$$;
