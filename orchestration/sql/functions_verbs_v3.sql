-- Verbs and repairs that look after ads and effects of unknown outcome. Earlier versions stay for workers of the
-- release before.

-- Objects that an effect may have made although its journal knows no id; agents.effects.unsettled in SQL.
CREATE FUNCTION marketing.unsettled_v3(p_journal jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg(substr(e.key, 8) ORDER BY e.key COLLATE "C"), '{}')
    FROM jsonb_each(p_journal) AS e
    WHERE e.key LIKE 'intent:%' AND NOT p_journal ? ('remote:' || substr(e.key, 8))
      AND p_journal ->> ('ended:' || (e.value ->> 'token')) IS DISTINCT FROM 'refused'
$$;

-- Send a campaign to another step, as redirect_v2 does, unless an effect of the stage at work is at work or of
-- unknown outcome: skipping it could lose an ad that nobody has heard of. Returns the keys of such effects ({}: it
-- was sent there), or NULL when the row has changed since it was read.
CREATE FUNCTION marketing.go_back_v3(p_campaign text, p_revision bigint, p_from text[], p_next jsonb)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    at_work marketing.campaigns;
    in_the_way text[];
BEGIN
    SELECT * INTO at_work FROM marketing.campaigns
    WHERE campaign_id = p_campaign AND revision = p_revision AND status = ANY(p_from) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- One that is claimed after this look finds another epoch, and sends nothing.
    SELECT array_agg(u.key ORDER BY u.ordinal) INTO in_the_way FROM marketing.units u
    WHERE u.campaign_id = p_campaign AND u.step = at_work.step AND u.stage = at_work.stage
      AND u.effect_key IS NOT NULL AND u.status IN ('running', 'unknown');
    IF in_the_way IS NOT NULL THEN
        RETURN in_the_way;
    END IF;
    PERFORM marketing.redirect_v2(p_campaign, p_revision, p_from, p_next);
    RETURN '{}';
END $$;

-- As retry_failed_v2, and an outage that they waited for in vain is waited for anew.
CREATE FUNCTION marketing.retry_failed_v3(p_campaign text, p_actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    again integer;
BEGIN
    PERFORM FROM marketing.campaigns WHERE campaign_id = p_campaign AND status = 'failed' AND agent IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE marketing.units u
    SET status = 'pending', attempts = 0, crashes = 0, worker = NULL, due_at = NULL, finished_at = NULL,
        journal = u.journal - 'waiting_since'
    FROM marketing.campaigns c
    WHERE c.campaign_id = p_campaign AND u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
      AND u.epoch = c.epoch AND u.status = 'failed';
    GET DIAGNOSTICS again = ROW_COUNT;
    IF again > 0 THEN
        UPDATE marketing.campaigns SET status = 'running', reason = NULL, remaining = again, revision = revision + 1,
               progress_at = clock_timestamp(), publishes = 0, updated_at = now() WHERE campaign_id = p_campaign;
        INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
        SELECT campaign_id, 'retried', p_actor, step, agent, jsonb_build_object('units', again)
        FROM marketing.campaigns WHERE campaign_id = p_campaign;
    END IF;
    RETURN again;
END $$;

-- Write down a wish for the campaign's ads; the campaign is paused until it is carried out, or longer. p_newest is
-- the wish that the caller has seen (0 for none). Returns whether it was written.
CREATE FUNCTION marketing.ask_ads_v3(
    p_campaign text, p_from text[], p_newest integer, p_wanted text, p_go_on boolean, p_reason text, p_event text,
    p_actor text, p_data jsonb
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found_epoch integer;
BEGIN
    SELECT epoch INTO found_epoch FROM marketing.campaigns
    WHERE campaign_id = p_campaign AND status = ANY(p_from) FOR UPDATE;
    IF NOT FOUND OR p_newest <> (SELECT coalesce(max(number), 0) FROM marketing.ad_switches
                                 WHERE campaign_id = p_campaign) THEN
        RETURN false;
    END IF;
    UPDATE marketing.ad_switches SET settled_at = clock_timestamp() WHERE campaign_id = p_campaign AND settled_at IS NULL;
    -- What of the earlier wish is at work is waited for; its journal says what it did.
    UPDATE marketing.units SET status = 'skipped', finished_at = clock_timestamp()
    WHERE campaign_id = p_campaign AND step < 0 AND status IN ('pending', 'unknown');
    INSERT INTO marketing.ad_switches (campaign_id, number, wanted, go_on, actor, epoch)
    VALUES (p_campaign, p_newest + 1, p_wanted, p_go_on, p_actor, found_epoch);
    PERFORM marketing.set_status_v2(p_campaign, NULL, p_from, 'paused', p_reason, NULL, '{}', p_event, p_actor, p_data);
    UPDATE marketing.campaigns SET progress_at = clock_timestamp() WHERE campaign_id = p_campaign;
    RETURN true;
END $$;

-- The units of a wish, once nothing else of the campaign is at work. Returns whether they were written.
CREATE FUNCTION marketing.plan_ads_v3(p_campaign text, p_number integer, p_units jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    at_work marketing.campaigns;
BEGIN
    SELECT * INTO at_work FROM marketing.campaigns WHERE campaign_id = p_campaign AND status = 'paused' FOR UPDATE;
    IF NOT FOUND OR EXISTS (
        SELECT FROM marketing.units u WHERE u.campaign_id = p_campaign AND u.status = 'running'
           AND ((u.step = at_work.step AND u.stage = at_work.stage) OR u.step < 0)) THEN
        RETURN false;
    END IF;
    UPDATE marketing.ad_switches SET planned_at = clock_timestamp()
    WHERE campaign_id = p_campaign AND number = p_number AND epoch = at_work.epoch
      AND planned_at IS NULL AND settled_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM marketing.insert_units_v1(p_campaign, -p_number, 0, 'switch_ads', 'ad_management', at_work.epoch, p_units,
                                      NULL, 0);
    RETURN true;
END $$;

-- Claim the due units of a wish that counts.
CREATE FUNCTION marketing.take_ads_v3(p_campaign text, p_number integer, p_worker text)
RETURNS SETOF marketing.units LANGUAGE sql AS $$
    WITH due AS (
        SELECT u.key FROM marketing.units u
        JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.epoch = u.epoch AND c.status = 'paused'
        JOIN marketing.ad_switches s ON s.campaign_id = u.campaign_id AND s.number = p_number AND s.settled_at IS NULL
        WHERE u.campaign_id = p_campaign AND u.step = -p_number AND u.stage = 0
          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())
        ORDER BY u.ordinal FOR UPDATE OF u SKIP LOCKED
    )
    UPDATE marketing.units u
    SET status = 'running', worker = p_worker, claims = u.claims + 1, started_at = clock_timestamp(), due_at = NULL
    FROM due WHERE u.campaign_id = p_campaign AND u.step = -p_number AND u.stage = 0 AND u.key = due.key
    RETURNING u.*
$$;

-- Record the result of a wish's unit: {key, status, result, error}. The first result wins, also a replaced wish's.
CREATE FUNCTION marketing.finish_ads_v3(p_campaign text, p_number integer, p_worker text, p_result jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketing.units u
    SET status = p_result ->> 'status', result = nullif(p_result -> 'result', 'null'),
        error = coalesce(nullif(p_result -> 'error', 'null'), u.error),
        worker = p_worker, finished_at = clock_timestamp(), due_at = NULL
    WHERE u.campaign_id = p_campaign AND u.step = -p_number AND u.stage = 0 AND u.key = p_result ->> 'key'
      AND u.status IN ('running', 'pending', 'unknown');
    UPDATE marketing.campaigns SET progress_at = clock_timestamp(), publishes = 0 WHERE campaign_id = p_campaign;
END $$;

-- The end of a wish whose units are all finished: what its ads are now, and the campaign stays paused or goes on
-- where it was. Returns the campaign's status; 'again' when an effect that was claimed just before the pause began
-- after all, so that its ad has to be looked for once more; NULL when the wish or the row has changed.
CREATE FUNCTION marketing.settle_ads_v3(
    p_campaign text, p_number integer, p_revision bigint, p_creatives jsonb, p_unreached text[], p_reason text,
    p_event text, p_data jsonb
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    at_work marketing.campaigns;
    wish marketing.ad_switches;
BEGIN
    SELECT * INTO at_work FROM marketing.campaigns
    WHERE campaign_id = p_campaign AND status = 'paused' AND revision = p_revision FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO wish FROM marketing.ad_switches
    WHERE campaign_id = p_campaign AND number = p_number AND epoch = at_work.epoch AND planned_at IS NOT NULL
      AND settled_at IS NULL;
    IF NOT FOUND OR EXISTS (SELECT FROM marketing.units WHERE campaign_id = p_campaign AND step = -p_number
                            AND status IN ('pending', 'running', 'unknown')) THEN
        RETURN NULL;
    END IF;
    UPDATE marketing.ad_switches SET settled_at = clock_timestamp(), unreached = p_unreached
    WHERE campaign_id = p_campaign AND number = p_number;
    UPDATE marketing.campaigns SET ad_creatives = p_creatives, progress_at = clock_timestamp()
    WHERE campaign_id = p_campaign;
    IF wish.wanted = 'off' AND EXISTS (
        SELECT FROM marketing.units u WHERE u.campaign_id = p_campaign AND u.step = at_work.step
           AND u.stage = at_work.stage AND u.effect_key IS NOT NULL
           AND (u.status = 'running' OR u.started_at > wish.planned_at OR u.finished_at > wish.planned_at)) THEN
        INSERT INTO marketing.ad_switches (campaign_id, number, wanted, go_on, actor, epoch)
        VALUES (p_campaign, p_number + 1, 'off', false, wish.actor, wish.epoch);
        UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = p_campaign;
        RETURN 'again';
    END IF;
    RETURN marketing.set_status_v2(p_campaign, NULL, ARRAY['paused'],
                                   CASE WHEN wish.go_on THEN '<paused_from>' ELSE 'paused' END, p_reason, NULL, '{}',
                                   p_event, CASE WHEN wish.go_on THEN wish.actor ELSE 'system' END, p_data);
END $$;

-- As reconcile_v2, and: an effect that crashed its workers and may have been carried out is kept for a person instead
-- of failed; a stage that winds down gets rid of poison too; wishes for ads are carried on.
CREATE FUNCTION marketing.reconcile_v3(
    p_worker text, p_lease double precision, p_stale double precision, p_max_crashes integer, p_limit integer
) RETURNS TABLE (idle_campaign text, idle_agent text, idle_step integer, idle_since timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    may_judge boolean;
BEGIN
    SELECT w.fresh_since <= clock_timestamp() - make_interval(secs => p_lease)
           AND pg_postmaster_start_time() <= clock_timestamp() - make_interval(secs => p_lease)
    INTO may_judge FROM marketing.workers w WHERE w.worker = p_worker;

    IF coalesce(may_judge, false) THEN
        WITH places AS (
            SELECT c.campaign_id, c.step, c.stage, false AS wished FROM marketing.campaigns c
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
            SELECT u.campaign_id, u.step, u.stage, u.key
            FROM places p
            JOIN marketing.units u ON u.campaign_id = p.campaign_id AND u.step = p.step AND u.stage = p.stage
            WHERE u.status = 'running'
              AND (NOT EXISTS (SELECT FROM marketing.workers w WHERE w.worker = u.worker
                               AND w.beat_at > clock_timestamp() - make_interval(secs => p_lease))
                   -- A worker looks for claims that it holds without knowing, but not of paused campaigns. One that
                   -- is at work after all finds its claim gone before it sends anything, and its result is taken.
                   OR (p.wished AND u.started_at < clock_timestamp() - interval '5 minutes'))
            ORDER BY u.campaign_id, u.step, u.key LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
        ), given_back AS (
            UPDATE marketing.units u
            SET status = CASE WHEN u.effect_key IS NULL THEN 'pending' ELSE 'unknown' END, worker = NULL,
                crashes = u.crashes + 1
            FROM lost WHERE u.campaign_id = lost.campaign_id AND u.step = lost.step AND u.stage = lost.stage
                        AND u.key = lost.key
            RETURNING u.campaign_id, u.step, u.agent, u.key, u.crashes
        ), noted AS (
            INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
            SELECT g.campaign_id, 'unit_lost', g.step, g.agent, jsonb_build_object('unit', g.key, 'crashes', g.crashes)
            FROM given_back g
        )
        UPDATE marketing.campaigns c SET publishes = 0, progress_at = clock_timestamp() - interval '1 day'
        WHERE c.campaign_id IN (SELECT g.campaign_id FROM given_back g);
        DELETE FROM marketing.workers w WHERE w.beat_at < clock_timestamp() - interval '1 hour';
    END IF;

    -- An effect that was running in six workers that died, and that may have been carried out, is a person's business.
    -- Its crashes begin anew, at a number that still makes it run alone: who looks at it decides that it is tried.
    WITH crashed AS (
        SELECT u.campaign_id, u.step, u.stage, u.key, u.crashes
        FROM marketing.campaigns c
        JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
        WHERE c.status = 'running' AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes
          AND u.effect_key IS NOT NULL AND marketing.unsettled_v3(u.journal) <> '{}'
        FOR UPDATE OF u SKIP LOCKED
    ), kept AS (
        UPDATE marketing.units u
        SET status = 'unknown', worker = NULL, crashes = p_max_crashes / 2,
            error = jsonb_build_object('code', 'crashed', 'provider', u.provider, 'message',
                                       'its worker died ' || crashed.crashes || ' times while it ran')
        FROM crashed WHERE u.campaign_id = crashed.campaign_id AND u.step = crashed.step AND u.stage = crashed.stage
                       AND u.key = crashed.key
        RETURNING u.campaign_id, u.step, u.agent, u.key, u.provider, u.error ->> 'message' AS message,
                  marketing.unsettled_v3(u.journal) AS steps
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
        SET status = 'failed', finished_at = clock_timestamp(),
            error = jsonb_build_object('code', 'crashed', 'provider', u.provider, 'message',
                                       'its worker died ' || u.crashes || ' times while it ran')
        FROM marketing.campaigns c
        WHERE (c.status = 'running' OR (c.status = 'cancelling' AND c.stage_name = 'wind_down'))
          AND c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage
          AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes
          AND (u.effect_key IS NULL OR marketing.unsettled_v3(u.journal) = '{}')
        RETURNING u.campaign_id
    ), counted AS (
        SELECT p.campaign_id, count(*)::integer AS n FROM poison p GROUP BY p.campaign_id
    )
    UPDATE marketing.campaigns c SET remaining = c.remaining - counted.n FROM counted
    WHERE c.campaign_id = counted.campaign_id;
    UPDATE marketing.units u
    SET status = 'failed', finished_at = clock_timestamp(),
        error = jsonb_build_object('code', 'crashed', 'provider', u.provider, 'message',
                                   'its worker died ' || u.crashes || ' times while it ran')
    FROM marketing.ad_switches s
    WHERE s.settled_at IS NULL AND u.campaign_id = s.campaign_id AND u.step = -s.number
      AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes;

    -- Waits whose moment has come.
    WITH over AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status = 'waiting' AND c.due_at <= clock_timestamp()
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

    RETURN QUERY
    SELECT * FROM (
        SELECT c.campaign_id, coalesce(c.agent, ''), c.step, c.progress_at AS since FROM marketing.campaigns c
        WHERE ((c.status IN ('queued', 'running')
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
        SELECT c.campaign_id, 'ad_management', c.step, c.progress_at FROM marketing.ad_switches s
        JOIN marketing.campaigns c ON c.campaign_id = s.campaign_id AND c.epoch = s.epoch AND c.status = 'paused'
        WHERE s.settled_at IS NULL
          AND NOT EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = c.campaign_id AND u.status = 'running'
                          AND ((u.step = c.step AND u.stage = c.stage) OR u.step < 0))
          AND (s.planned_at IS NULL
               OR NOT EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = s.campaign_id AND u.step = -s.number
                              AND u.status IN ('pending', 'unknown') AND u.due_at > clock_timestamp())
               OR EXISTS (SELECT FROM marketing.units u WHERE u.campaign_id = s.campaign_id AND u.step = -s.number
                          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())))
          AND c.progress_at < clock_timestamp() - make_interval(secs => p_stale * 2 ^ least(c.publishes, 6))
    ) AS idle ORDER BY idle.since LIMIT p_limit;
END $$;
