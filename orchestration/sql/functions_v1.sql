-- The hot operations of the ledger, one round trip each. Versioned by name: during a deploy old
-- workers go on calling the old ones, so a changed function gets a new name and the old one stays.
-- PL/pgSQL caches its plans per session, which psycopg2's lack of prepared statements would cost.

-- Insert planned units; those with ordinal < p_claimed are already running for p_worker.
CREATE FUNCTION marketing.insert_units_v1(
    p_campaign text, p_step integer, p_stage integer, p_stage_name text, p_agent text, p_epoch integer,
    p_units jsonb, p_worker text, p_claimed integer
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO marketing.units (campaign_id, step, stage, key, ordinal, stage_name, agent, kind, provider, effect_key,
                                 essential, policy, status, input, epoch, claims, worker, started_at)
    SELECT p_campaign, p_step, p_stage, u.key, u.ordinal, p_stage_name, p_agent, u.kind, u.provider, u.effect_key,
           u.essential, u.policy, CASE WHEN u.ordinal < p_claimed THEN 'running' ELSE 'pending' END, u.input, p_epoch,
           CASE WHEN u.ordinal < p_claimed THEN 1 ELSE 0 END,
           CASE WHEN u.ordinal < p_claimed THEN p_worker END,
           CASE WHEN u.ordinal < p_claimed THEN clock_timestamp() END
    FROM jsonb_to_recordset(p_units) AS u(key text, ordinal integer, kind text, provider text, effect_key text,
                                          essential boolean, policy jsonb, input jsonb)
$$;

-- Insert a campaign with its first units. Returns (campaign_id, config_hash, created): of the row that
-- already holds the idempotency key when there is one.
CREATE FUNCTION marketing.submit_v1(p_campaign jsonb, p_units jsonb)
RETURNS TABLE (found_id text, found_hash text, created boolean) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketing.campaigns (campaign_id, name, idempotency_key, config_hash, status, agent, step, stage,
                                     stage_name, stage_size, remaining, route, state, agent_messages, schema_version,
                                     flow_version, created_at, updated_at)
    SELECT c.campaign_id, c.name, c.idempotency_key, c.config_hash, 'queued', c.agent, 0, 0, c.stage_name,
           jsonb_array_length(p_units), jsonb_array_length(p_units), ARRAY[c.agent], c.state, c.agent_messages,
           c.schema_version, c.flow_version, c.created_at, c.created_at
    FROM jsonb_to_record(p_campaign) AS c(campaign_id text, name text, idempotency_key text, config_hash text,
         agent text, stage_name text, state jsonb, agent_messages jsonb, schema_version integer, flow_version integer,
         created_at timestamptz)
    ON CONFLICT DO NOTHING;  -- on the key, or on the id when the first try was committed and its answer lost
    IF NOT FOUND THEN
        RETURN QUERY SELECT campaign_id, config_hash, false FROM marketing.campaigns
                     WHERE idempotency_key = p_campaign ->> 'idempotency_key'
                        OR campaign_id = p_campaign ->> 'campaign_id';
        RETURN;
    END IF;
    PERFORM marketing.insert_units_v1(p_campaign ->> 'campaign_id', 0, 0, p_campaign ->> 'stage_name',
                                      p_campaign ->> 'agent', 0, p_units, NULL, 0);
    INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch)
    VALUES (p_campaign ->> 'campaign_id', -1, 'submit',
            (p_campaign -> 'state') || jsonb_build_object('agent_messages', p_campaign -> 'agent_messages'));
    INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
    VALUES (p_campaign ->> 'campaign_id', 'submitted', coalesce(p_campaign ->> 'actor', 'system'), 0,
            p_campaign ->> 'agent', jsonb_build_object('name', p_campaign ->> 'name',
                                                       'units', jsonb_array_length(p_units)));
    RETURN QUERY SELECT p_campaign ->> 'campaign_id', p_campaign ->> 'config_hash', true;
END $$;

-- Claim up to p_limit due units of the stage that is at work; one winner per unit.
CREATE FUNCTION marketing.take_v1(p_campaign text, p_step integer, p_stage integer, p_worker text, p_limit integer)
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
                                  AND c.epoch = u.epoch AND c.status = 'running'
        WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage
          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())
        ORDER BY u.ordinal LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
    )
    UPDATE marketing.units u
    SET status = 'running', worker = p_worker, claims = u.claims + 1, started_at = clock_timestamp(), due_at = NULL
    FROM due WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = due.key
    RETURNING u.*;
END $$;

-- Record results (an array of {key, status, result, error}) and, when p_next is given and these were the
-- stage's last ones, commit the next transition in the same statement.
-- p_next: {step, stage, stage_name, agent, status, reason, claimed, units: [...], route: [...],
--          hops: [{step, agent, patch}], events: [{kind, step, agent, data}], result_state?: patch}.
-- Returns -2: advanced; -1: nothing was ours (a duplicate); >= 0: units still remaining.
CREATE FUNCTION marketing.finish_advance_v1(
    p_campaign text, p_step integer, p_stage integer, p_epoch integer, p_revision bigint, p_worker text,
    p_results jsonb, p_next jsonb
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    given integer := jsonb_array_length(p_results);
    recorded integer := 0;
    patch jsonb := '{}';
    hop jsonb;
    left_over integer;
BEGIN
    IF given > 0 THEN
        -- A result is accepted from 'pending' and 'unknown' too: a worker that was thought dead finishes its
        -- work, and the first finisher wins. The epoch fences lines of work that were abandoned on purpose.
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
        FOR hop IN SELECT * FROM jsonb_array_elements(p_next -> 'hops') LOOP
            patch := patch || (hop -> 'patch');
        END LOOP;
        patch := patch || coalesce(p_next -> 'patch', '{}');
        UPDATE marketing.campaigns c
        SET step = (p_next ->> 'step')::integer, stage = (p_next ->> 'stage')::integer,
            stage_name = p_next ->> 'stage_name', agent = p_next ->> 'agent', status = p_next ->> 'status',
            reason = p_next ->> 'reason', stage_size = jsonb_array_length(p_next -> 'units'),
            remaining = jsonb_array_length(p_next -> 'units'),
            route = c.route || ARRAY(SELECT jsonb_array_elements_text(p_next -> 'route')),
            state = CASE WHEN patch = '{}' THEN c.state ELSE c.state || (patch - ARRAY['leads', 'qualified_leads',
                         'generated_content', 'ad_creatives', 'agent_messages']) END,
            leads = coalesce(patch -> 'leads', c.leads),
            qualified_leads = coalesce(patch -> 'qualified_leads', c.qualified_leads),
            generated_content = coalesce(patch -> 'generated_content', c.generated_content),
            ad_creatives = coalesce(patch -> 'ad_creatives', c.ad_creatives),
            agent_messages = coalesce(patch -> 'agent_messages', c.agent_messages),
            progress_at = now(), publishes = 0, updated_at = now()
        WHERE c.campaign_id = p_campaign AND c.step = p_step AND c.stage = p_stage AND c.epoch = p_epoch
          AND c.revision = p_revision AND c.status = 'running' AND c.remaining = recorded;
        IF FOUND THEN
            INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch)
            SELECT p_campaign, (h ->> 'step')::integer, h ->> 'agent', h -> 'patch'
            FROM jsonb_array_elements(p_next -> 'hops') AS h;
            PERFORM marketing.insert_units_v1(p_campaign, (p_next ->> 'step')::integer, (p_next ->> 'stage')::integer,
                                              p_next ->> 'stage_name', p_next ->> 'agent', p_epoch, p_next -> 'units',
                                              p_worker, (p_next ->> 'claimed')::integer);
            INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
            SELECT p_campaign, e.kind, e.step, e.agent, coalesce(e.data, '{}')
            FROM jsonb_to_recordset(p_next -> 'events') AS e(kind text, step integer, agent text, data jsonb);
            RETURN -2;
        END IF;
    END IF;

    UPDATE marketing.campaigns SET remaining = remaining - recorded, progress_at = now(), publishes = 0
    WHERE campaign_id = p_campaign AND step = p_step AND stage = p_stage AND epoch = p_epoch
    RETURNING remaining INTO left_over;
    RETURN coalesce(left_over, -1);
END $$;

-- Give a unit back: after an error that is worth a retry, or because it may not start now.
CREATE FUNCTION marketing.give_back_v1(
    p_campaign text, p_step integer, p_stage integer, p_key text, p_worker text, p_status text, p_delay double precision,
    p_error jsonb, p_attempt boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketing.units
    SET status = p_status, worker = NULL, error = p_error, attempts = attempts + p_attempt::integer,
        due_at = clock_timestamp() + make_interval(secs => p_delay)
    WHERE campaign_id = p_campaign AND step = p_step AND stage = p_stage AND key = p_key AND status = 'running'
      AND worker = p_worker;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
    SELECT u.campaign_id, CASE WHEN p_attempt THEN 'unit_retry' ELSE 'unit_deferred' END, u.step, u.agent,
           jsonb_build_object('unit', u.key, 'provider', u.provider, 'delay_s', round(p_delay::numeric, 3),
                              'code', p_error -> 'code', 'message', p_error -> 'message')
    FROM marketing.units u
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key;
    RETURN true;
END $$;

-- Commit one entry of a unit's journal, and what it cost, before the unit goes on.
CREATE FUNCTION marketing.journal_v1(
    p_campaign text, p_step integer, p_stage integer, p_key text, p_entry jsonb, p_model text, p_input_tokens bigint,
    p_output_tokens bigint, p_cost numeric, p_currency text
) RETURNS void LANGUAGE sql AS $$
    UPDATE marketing.units
    SET journal = journal || p_entry, model = coalesce(p_model, model), input_tokens = input_tokens + p_input_tokens,
        output_tokens = output_tokens + p_output_tokens, cost = cost + coalesce(p_cost, 0),
        unpriced_tokens = unpriced_tokens + CASE WHEN p_cost IS NULL THEN p_input_tokens + p_output_tokens ELSE 0 END,
        currency = coalesce(p_currency, currency)
    WHERE campaign_id = p_campaign AND step = p_step AND stage = p_stage AND key = p_key
      AND NOT journal @> p_entry  -- the same entry again is a repeated statement: it must not cost twice
$$;

CREATE FUNCTION marketing.beat_v1(p_worker text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO marketing.workers AS w (worker) VALUES (p_worker)
    ON CONFLICT (worker) DO UPDATE
    SET beat_at = clock_timestamp(),
        fresh_since = CASE WHEN clock_timestamp() - w.beat_at > interval '5 seconds' THEN clock_timestamp()
                           ELSE w.fresh_since END
$$;

-- Find what has been dropped, and return the campaigns that need a wake-up. Safe to run any number of times
-- in parallel. p_worker is the judge: it declares nobody dead until it has itself beaten without a gap for as
-- long as the lease, and Postgres has been up for as long.
CREATE FUNCTION marketing.reconcile_v1(
    p_worker text, p_lease double precision, p_stale double precision, p_max_crashes integer, p_limit integer
) RETURNS TABLE (lost_campaign text, lost_agent text, lost_step integer) LANGUAGE plpgsql AS $$
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
            WHERE c.status IN ('queued', 'running') AND c.remaining > 0 AND u.status = 'running'
              AND NOT EXISTS (SELECT FROM marketing.workers w WHERE w.worker = u.worker
                              AND w.beat_at > clock_timestamp() - make_interval(secs => p_lease))
            ORDER BY u.campaign_id, u.key LIMIT p_limit FOR UPDATE OF u SKIP LOCKED
        ), given_back AS (
            UPDATE marketing.units u
            SET status = 'pending', worker = NULL, crashes = u.crashes + 1
            FROM lost WHERE u.campaign_id = lost.campaign_id AND u.step = lost.step AND u.stage = lost.stage
                        AND u.key = lost.key
            RETURNING u.campaign_id, u.step, u.agent, u.key, u.crashes
        ), noted AS (
            INSERT INTO marketing.events (campaign_id, kind, step, agent, data)
            SELECT g.campaign_id, 'unit_lost', g.step, g.agent, jsonb_build_object('unit', g.key, 'crashes', g.crashes)
            FROM given_back g
        )
        UPDATE marketing.campaigns c SET publishes = 0, progress_at = c.progress_at - make_interval(secs => p_stale)
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
          AND u.status = 'pending' AND u.crashes >= p_max_crashes
        RETURNING u.campaign_id
    ), counted AS (
        SELECT p.campaign_id, count(*)::integer AS n FROM poison p GROUP BY p.campaign_id
    )
    UPDATE marketing.campaigns c SET remaining = c.remaining - counted.n FROM counted
    WHERE c.campaign_id = counted.campaign_id;

    -- Campaigns with something to do and no progress for a while. The pause doubles with each repeated
    -- wake-up: a queue that is merely long must not be flooded.
    RETURN QUERY
    WITH idle AS (
        SELECT c.campaign_id FROM marketing.campaigns c
        WHERE c.status IN ('queued', 'running')
          AND c.progress_at < clock_timestamp() - make_interval(secs => p_stale * 2 ^ least(c.publishes, 6))
          AND (c.remaining = 0 OR EXISTS (
              SELECT FROM marketing.units u
              WHERE u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
                AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())))
        ORDER BY c.progress_at LIMIT p_limit FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE marketing.campaigns c SET progress_at = clock_timestamp(), publishes = c.publishes + 1
    FROM idle WHERE c.campaign_id = idle.campaign_id
    RETURNING c.campaign_id, c.agent, c.step;
END $$;
