-- Version 2 of the hot operations: stages that are held, campaigns that are wound down. Version 1 stays for
-- workers of the release before.

-- As take_v1, and the winding-down stage of a campaign that is being cancelled.
CREATE FUNCTION marketing.take_v2(p_campaign text, p_step integer, p_stage integer, p_worker text, p_limit integer)
RETURNS SETOF marketing.units LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketing.campaigns SET status = 'running', reason = NULL, updated_at = now()
    WHERE campaign_id = p_campaign AND step = p_step AND stage = p_stage AND status = 'queued';
    IF FOUND THEN
        INSERT INTO marketing.events (campaign_id, kind, step, agent)
        SELECT campaign_id, 'started', step, agent FROM marketing.campaigns WHERE campaign_id = p_campaign;
    END IF;
    RETURN QUERY
    WITH due AS (
        SELECT u.key FROM marketing.units u
        JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage
                                  AND c.epoch = u.epoch
                                  AND (c.status = 'running' OR (c.status = 'cancelling' AND c.stage_name = 'wind_down'))
        WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage
          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())
        ORDER BY u.ordinal LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
    )
    UPDATE marketing.units u
    SET status = 'running', worker = p_worker, claims = u.claims + 1, started_at = clock_timestamp(), due_at = NULL
    FROM due WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = due.key
    RETURNING u.*;
END $$;

-- Write a transition into the row, its checkpoints, units, events and approval. The caller holds the row's lock.
CREATE FUNCTION marketing.apply_next_v2(p_campaign text, p_epoch integer, p_worker text, p_next jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    patch jsonb := '{}';
    hop jsonb;
    parent_step integer;
BEGIN
    SELECT base_step INTO parent_step FROM marketing.campaigns WHERE campaign_id = p_campaign;
    parent_step := coalesce((p_next ->> 'base')::integer, parent_step);
    FOR hop IN SELECT * FROM jsonb_array_elements(p_next -> 'hops') LOOP
        patch := patch || (hop -> 'patch');
        INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch, parent)
        VALUES (p_campaign, (hop ->> 'step')::integer, hop ->> 'agent', hop -> 'patch', parent_step)
        ON CONFLICT (campaign_id, step) DO UPDATE SET patch = marketing.checkpoints.patch || excluded.patch, at = now();
        parent_step := (hop ->> 'step')::integer;
    END LOOP;
    patch := patch || coalesce(p_next -> 'patch', '{}');
    UPDATE marketing.campaigns c
    SET step = (p_next ->> 'step')::integer, stage = (p_next ->> 'stage')::integer,
        stage_name = p_next ->> 'stage_name', agent = p_next ->> 'agent', status = p_next ->> 'status',
        reason = p_next ->> 'reason', due_at = (p_next ->> 'due_at')::timestamptz,
        hold = nullif(p_next -> 'hold', 'null'), epoch = p_epoch, base_step = parent_step, paused_from = NULL,
        stage_size = jsonb_array_length(p_next -> 'units'), remaining = jsonb_array_length(p_next -> 'units'),
        route = c.route || ARRAY(SELECT jsonb_array_elements_text(p_next -> 'route')),
        state = CASE WHEN patch = '{}' THEN c.state ELSE c.state || (patch - ARRAY['leads', 'qualified_leads',
                     'generated_content', 'ad_creatives', 'agent_messages']) END,
        leads = coalesce(patch -> 'leads', c.leads),
        qualified_leads = coalesce(patch -> 'qualified_leads', c.qualified_leads),
        generated_content = coalesce(patch -> 'generated_content', c.generated_content),
        ad_creatives = coalesce(patch -> 'ad_creatives', c.ad_creatives),
        agent_messages = coalesce(patch -> 'agent_messages', c.agent_messages),
        progress_at = clock_timestamp(), publishes = 0, updated_at = now()
    WHERE c.campaign_id = p_campaign;
    IF jsonb_array_length(p_next -> 'units') > 0 THEN
        PERFORM marketing.insert_units_v1(p_campaign, (p_next ->> 'step')::integer, (p_next ->> 'stage')::integer,
                                          p_next ->> 'stage_name', p_next ->> 'agent', p_epoch, p_next -> 'units',
                                          p_worker, (p_next ->> 'claimed')::integer);
    END IF;
    INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
    SELECT p_campaign, e.kind, coalesce(e.actor, 'system'), e.step, e.agent, coalesce(e.data, '{}')
    FROM jsonb_to_recordset(p_next -> 'events') AS e(kind text, actor text, step integer, agent text, data jsonb);
    IF p_next -> 'approval' <> 'null' THEN
        INSERT INTO marketing.approvals (approval_id, campaign_id, step, kind, request, expires_at)
        SELECT a.approval_id, p_campaign, (p_next ->> 'step')::integer, a.kind, a.request, a.expires_at
        FROM jsonb_to_record(p_next -> 'approval') AS a(approval_id text, kind text, request jsonb, expires_at timestamptz)
        ON CONFLICT (approval_id) DO UPDATE SET status = 'open', asked_at = now(), expires_at = excluded.expires_at,
                                                reason = NULL, decided_by = NULL, decided_at = NULL;
    END IF;
END $$;

-- As finish_advance_v1; p_next also holds {due_at, hold, approval}. Results are taken while a campaign is paused
-- or waiting too (the work was done); the transition needs it to be at work.
CREATE FUNCTION marketing.finish_advance_v2(
    p_campaign text, p_step integer, p_stage integer, p_epoch integer, p_revision bigint, p_worker text,
    p_results jsonb, p_next jsonb
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    given integer := jsonb_array_length(p_results);
    recorded integer := 0;
    left_over integer;
BEGIN
    IF given > 0 THEN
        UPDATE marketing.units u
        SET status = r.status, result = r.result, error = coalesce(r.error, u.error),
            attempts = u.attempts + CASE WHEN r.error IS NULL THEN 0 ELSE 1 END,
            worker = p_worker, finished_at = clock_timestamp(), due_at = NULL
        FROM jsonb_to_recordset(p_results) AS r(key text, status text, result jsonb, error jsonb)
        WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = r.key
          AND u.epoch = p_epoch AND u.status IN ('running', 'pending', 'unknown');
        GET DIAGNOSTICS recorded = ROW_COUNT;
        IF recorded = 0 THEN
            RETURN -1;
        END IF;
    END IF;
    IF p_next IS NOT NULL AND recorded = given THEN
        PERFORM FROM marketing.campaigns c
        WHERE c.campaign_id = p_campaign AND c.step = p_step AND c.stage = p_stage AND c.epoch = p_epoch
          AND c.revision = p_revision AND c.remaining = recorded
          AND (c.status = 'running' OR (c.status = 'cancelling' AND c.stage_name = 'wind_down'))
        FOR UPDATE;
        IF FOUND THEN
            PERFORM marketing.apply_next_v2(p_campaign, p_epoch, p_worker, p_next);
            RETURN -2;
        END IF;
    END IF;
    UPDATE marketing.campaigns SET remaining = remaining - recorded, progress_at = clock_timestamp(), publishes = 0
    WHERE campaign_id = p_campaign AND step = p_step AND stage = p_stage AND epoch = p_epoch
    RETURNING remaining INTO left_over;
    RETURN coalesce(left_over, -1);
END $$;

-- Send a campaign somewhere else: retry from a step, rework, winding down. What has not begun is skipped, a new
-- epoch fences what is still running. False when the row has changed since it was read.
CREATE FUNCTION marketing.redirect_v2(p_campaign text, p_revision bigint, p_from text[], p_next jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found_epoch integer;
BEGIN
    SELECT epoch INTO found_epoch FROM marketing.campaigns
    WHERE campaign_id = p_campaign AND revision = p_revision AND status = ANY(p_from) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE marketing.units u SET status = 'skipped', finished_at = clock_timestamp()
    FROM marketing.campaigns c
    WHERE c.campaign_id = p_campaign AND u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
      AND u.status IN ('pending', 'running', 'unknown');
    UPDATE marketing.approvals SET status = 'withdrawn', decided_at = now()
    WHERE campaign_id = p_campaign AND status = 'open';
    UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = p_campaign;
    PERFORM marketing.apply_next_v2(p_campaign, found_epoch + 1, NULL, p_next);
    RETURN true;
END $$;

-- Change a campaign's status without moving it: pause, resume, cancel, wait, go on. p_patch changes the state,
-- p_status '' keeps the status. Returns the new status, or NULL when the row is not in one of p_from (or has
-- another revision than p_revision, where one is given).
CREATE FUNCTION marketing.set_status_v2(
    p_campaign text, p_revision bigint, p_from text[], p_status text, p_reason text, p_due_at timestamptz, p_patch jsonb,
    p_event text, p_actor text, p_data jsonb
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    old marketing.campaigns;
    new_status text;
BEGIN
    SELECT * INTO old FROM marketing.campaigns c
    WHERE c.campaign_id = p_campaign AND c.status = ANY(p_from) AND (p_revision IS NULL OR c.revision = p_revision)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    new_status := CASE p_status WHEN '' THEN old.status WHEN '<paused_from>' THEN coalesce(old.paused_from, 'running')
                                ELSE p_status END;
    UPDATE marketing.campaigns c
    SET status = new_status, revision = c.revision + 1, updated_at = now(), publishes = 0,
        due_at = CASE WHEN new_status IN ('paused', 'waiting', 'awaiting_approval') AND p_due_at IS NULL THEN c.due_at
                      ELSE p_due_at END,
        hold = CASE WHEN new_status = 'running' THEN NULL ELSE c.hold END,
        reason = CASE WHEN p_status = '<paused_from>' THEN old.paused_reason ELSE p_reason END,
        paused_reason = CASE WHEN new_status = 'paused' AND old.status <> 'paused' THEN old.reason
                             WHEN new_status = 'paused' THEN old.paused_reason END,
        paused_from = CASE WHEN new_status = 'paused' AND old.status <> 'paused' THEN old.status
                           WHEN new_status = 'paused' THEN old.paused_from END,
        progress_at = CASE WHEN new_status = 'running' THEN clock_timestamp() ELSE c.progress_at END,
        state = c.state || (p_patch - 'agent_messages'),
        agent_messages = coalesce(p_patch -> 'agent_messages', c.agent_messages)
    WHERE c.campaign_id = p_campaign;
    INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
    VALUES (p_campaign, p_event, p_actor, old.step, old.agent, p_data);
    RETURN new_status;
END $$;

-- Make the failed units of the stage at work due again. Returns how many.
CREATE FUNCTION marketing.retry_failed_v2(p_campaign text, p_actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    again integer;
BEGIN
    PERFORM FROM marketing.campaigns WHERE campaign_id = p_campaign AND status = 'failed' AND agent IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE marketing.units u SET status = 'pending', attempts = 0, crashes = 0, worker = NULL, due_at = NULL, finished_at = NULL
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

-- Repair what was dropped and list the campaigns that may need a wake-up: (campaign, agent, step, no progress since).
-- Safe to run any number of times in parallel. p_worker is the judge: it declares nobody dead until it has itself
-- beaten without a gap for as long as the lease, and Postgres has been up for as long.
CREATE FUNCTION marketing.reconcile_v2(
    p_worker text, p_lease double precision, p_stale double precision, p_max_crashes integer, p_limit integer
) RETURNS TABLE (idle_campaign text, idle_agent text, idle_step integer, idle_since timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    may_judge boolean;
BEGIN
    SELECT w.fresh_since <= clock_timestamp() - make_interval(secs => p_lease)
           AND pg_postmaster_start_time() <= clock_timestamp() - make_interval(secs => p_lease)
    INTO may_judge FROM marketing.workers w WHERE w.worker = p_worker;

    IF coalesce(may_judge, false) THEN
        WITH lost AS (
            SELECT u.campaign_id, u.step, u.stage, u.key
            FROM marketing.campaigns c
            JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
            WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'cancelling')
              AND c.remaining > 0 AND u.status = 'running'
              AND NOT EXISTS (SELECT FROM marketing.workers w WHERE w.worker = u.worker
                              AND w.beat_at > clock_timestamp() - make_interval(secs => p_lease))
            ORDER BY u.campaign_id, u.key LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
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

    -- A unit that was running in six workers that died is poison: it fails alone, with a plain reason.
    WITH poison AS (
        UPDATE marketing.units u
        SET status = 'failed', finished_at = clock_timestamp(),
            error = jsonb_build_object('code', 'crashed', 'provider', u.provider, 'message',
                                       'its worker died ' || u.crashes || ' times while it ran')
        FROM marketing.campaigns c
        WHERE c.status = 'running' AND c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage
          AND u.status IN ('pending', 'unknown') AND u.crashes >= p_max_crashes
        RETURNING u.campaign_id
    ), counted AS (
        SELECT p.campaign_id, count(*)::integer AS n FROM poison p GROUP BY p.campaign_id
    )
    UPDATE marketing.campaigns c SET remaining = c.remaining - counted.n FROM counted
    WHERE c.campaign_id = counted.campaign_id;

    -- Waits whose moment has come.
    WITH over AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status = 'waiting' AND c.due_at <= clock_timestamp()
        ORDER BY c.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), gone_on AS (
        UPDATE marketing.campaigns c
        SET status = 'running', reason = NULL, due_at = NULL, hold = NULL, progress_at = clock_timestamp() - interval '1 day', publishes = 0
        FROM over WHERE c.campaign_id = over.campaign_id
        RETURNING c.campaign_id, c.step, c.agent
    )
    INSERT INTO marketing.events (campaign_id, kind, step, agent)
    SELECT g.campaign_id, 'wait_over', g.step, g.agent FROM gone_on g;

    RETURN QUERY
    SELECT c.campaign_id, coalesce(c.agent, ''), c.step, c.progress_at FROM marketing.campaigns c
    WHERE ((c.status IN ('queued', 'running')
            AND (c.remaining = 0 OR EXISTS (
                SELECT FROM marketing.units u
                WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
                  AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp()))))
           OR (c.status = 'cancelling' AND (c.stage_name = 'wind_down' OR NOT EXISTS (
                SELECT FROM marketing.units u
                WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage AND u.status = 'running'))))
      AND c.progress_at < clock_timestamp() - make_interval(secs => p_stale * 2 ^ least(c.publishes, 6))
    ORDER BY c.progress_at LIMIT p_limit;
END $$;

-- Take the right to wake these campaigns: those that have made no progress since they were listed.
CREATE FUNCTION marketing.claim_wakeups_v2(p_campaigns text[], p_since timestamptz[])
RETURNS TABLE (woken_campaign text, woken_agent text, woken_step integer, woken_status text) LANGUAGE sql AS $$
    WITH asked AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        JOIN unnest(p_campaigns, p_since) AS a(campaign_id, since)
          ON a.campaign_id = c.campaign_id AND a.since = c.progress_at
        FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE marketing.campaigns c SET progress_at = clock_timestamp(), publishes = c.publishes + 1
    FROM asked WHERE c.campaign_id = asked.campaign_id
    RETURNING c.campaign_id, coalesce(c.agent, ''), c.step, c.status
$$;

-- Insert a campaign that does not begin at the beginning (a fork): the row, and then p_next as any transition.
CREATE FUNCTION marketing.submit_v2(p_campaign jsonb, p_next jsonb)
RETURNS TABLE (found_id text, found_hash text, created boolean) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketing.campaigns (campaign_id, name, idempotency_key, config_hash, status, agent, step, stage,
                                     stage_name, stage_size, remaining, state, schema_version, flow_version, created_at,
                                     updated_at)
    SELECT c.campaign_id, c.name, c.idempotency_key, c.config_hash, 'queued', NULL, 0, 0, '', 0, 0, '{}',
           c.schema_version, c.flow_version, c.created_at, c.created_at
    FROM jsonb_to_record(p_campaign) AS c(campaign_id text, name text, idempotency_key text, config_hash text,
         schema_version integer, flow_version integer, created_at timestamptz)
    ON CONFLICT (idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN QUERY SELECT campaign_id, config_hash, false FROM marketing.campaigns
                     WHERE idempotency_key = p_campaign ->> 'idempotency_key';
        RETURN;
    END IF;
    INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch)
    VALUES (p_campaign ->> 'campaign_id', -1, 'submit', p_next -> 'patch');
    PERFORM marketing.apply_next_v2(p_campaign ->> 'campaign_id', 0, NULL, p_next);
    RETURN QUERY SELECT p_campaign ->> 'campaign_id', p_campaign ->> 'config_hash', true;
END $$;

-- As beat_v1; returns the campaigns that were paused or cancelled in the last minutes.
CREATE FUNCTION marketing.beat_v2(p_worker text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM marketing.beat_v1(p_worker);
    RETURN QUERY SELECT c.campaign_id FROM marketing.campaigns c
                 WHERE c.status IN ('paused', 'cancelling') AND c.updated_at > clock_timestamp() - interval '10 minutes';
END $$;
