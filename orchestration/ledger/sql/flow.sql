-- The hot operations of the ledger, one round trip each: as few statements as an operation can be. Starting a statement
-- costs more than what it does here, so no function calls another for each row, and no row is read before it is changed.
-- PL/pgSQL caches plans per session, and they are made once (force_generic_plan): a connection's first five would else be
-- made for their arguments, at more than they cost to run.

-- Insert a campaign with its first units. Returns (campaign_id, config_hash, mode, created): of the row that already holds
-- the idempotency key, or the id, when there is one; no row when the database is of another world than the campaign.
CREATE FUNCTION marketing.submit(p_campaign jsonb, p_units jsonb)
RETURNS TABLE (found_id text, found_hash text, found_mode text, created boolean) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    id text := p_campaign ->> 'campaign_id';
    first_agent text := p_campaign ->> 'agent';
    size integer := jsonb_array_length(p_units);
BEGIN
    INSERT INTO marketing.campaigns (campaign_id, mode, name, idempotency_key, config_hash, status, agent, step,
                                     stage, stage_name, stage_size, remaining, route, state, agent_messages, schema_version,
                                     flow_version, created_at, updated_at)
    SELECT id, w.mode, p_campaign ->> 'name', p_campaign ->> 'idempotency_key', p_campaign ->> 'config_hash', 'queued',
           first_agent, 0, 0, p_campaign ->> 'stage_name', size, size, ARRAY[first_agent], p_campaign -> 'state',
           p_campaign -> 'agent_messages', (p_campaign ->> 'schema_version')::integer,
           (p_campaign ->> 'flow_version')::integer, (p_campaign ->> 'created_at')::timestamptz,
           (p_campaign ->> 'created_at')::timestamptz
    FROM marketing.world w WHERE w.mode = p_campaign ->> 'mode'
    ON CONFLICT DO NOTHING;  -- on the key, or on the id when the first try was committed and its answer lost
    IF NOT FOUND THEN
        RETURN QUERY SELECT c.campaign_id, c.config_hash, c.mode, false FROM marketing.campaigns c, marketing.world w
                     WHERE w.mode = p_campaign ->> 'mode'
                       AND (c.idempotency_key = p_campaign ->> 'idempotency_key' OR c.campaign_id = id);
        RETURN;
    END IF;
    INSERT INTO marketing.units (campaign_id, step, stage, key, ordinal, stage_name, agent, kind, provider, effect_key,
                                 essential, policy, status, input, epoch)
    SELECT id, 0, 0, u ->> 'key', n - 1, p_campaign ->> 'stage_name', coalesce(u ->> 'agent', first_agent),
           u ->> 'kind', u ->> 'provider', u ->> 'effect_key', (u -> 'essential')::boolean, u -> 'policy', 'pending', u -> 'input', 0
    FROM jsonb_array_elements(p_units) WITH ORDINALITY AS units(u, n);
    INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch)
    VALUES (id, -1, 'submit',
            (p_campaign -> 'state') || jsonb_build_object('agent_messages', p_campaign -> 'agent_messages'));
    IF p_campaign #>> '{state,campaign_config,retention}' IS NOT NULL THEN
        INSERT INTO marketing.retentions (campaign_id, keep)
        VALUES (id, (p_campaign #>> '{state,campaign_config,retention}')::interval);
    END IF;
    INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
    VALUES (id, 'submitted', coalesce(p_campaign ->> 'actor', 'system'), 0, first_agent,
            jsonb_build_object('name', p_campaign ->> 'name', 'units', size));
    RETURN QUERY SELECT id, p_campaign ->> 'config_hash', p_campaign ->> 'mode', true;
END $$;

-- Everything a worker needs that was woken for a campaign, in one trip: its row, the results of the hop's earlier
-- stages, and the due units of the stage at work, claimed: up to p_limit of them, and none when more than p_most are
-- due (the stage will be spread). Nothing is claimed for another agent than p_agent (null: any), nor when the state is
-- of a newer program (above p_schema, p_flow). A campaign of another world than p_mode, the worker's, is not there. The
-- first row is the campaign and the number of due units that were left to others; the rows after it are units.
CREATE FUNCTION marketing.enter(
    p_campaign text, p_mode text, p_agent text, p_worker text, p_limit integer, p_most integer, p_schema integer,
    p_flow integer
) RETURNS TABLE (campaign marketing.campaigns, left_due integer, unit marketing.units) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    at_work boolean;
BEGIN
    UPDATE marketing.campaigns c SET status = 'running', reason = NULL, updated_at = now()
    WHERE c.campaign_id = p_campaign AND c.mode = p_mode AND c.status = 'queued' AND (p_agent IS NULL OR c.agent = p_agent)
      AND coalesce((c.state -> 'schema_version')::integer, 1) <= p_schema
      AND coalesce((c.state -> 'flow_version')::integer, 1) <= p_flow
    RETURNING c.* INTO campaign;
    IF FOUND THEN
        INSERT INTO marketing.events (campaign_id, kind, step, agent)
        VALUES (p_campaign, 'started', campaign.step, campaign.agent);
        at_work := true;
    ELSE
        SELECT c.* INTO campaign FROM marketing.campaigns c WHERE c.campaign_id = p_campaign AND c.mode = p_mode;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        at_work := ((campaign.status = 'running' AND (p_agent IS NULL OR campaign.agent = p_agent))
                    OR (campaign.status = 'cancelling' AND campaign.stage_name = 'wind_down'))
                   AND coalesce((campaign.state -> 'schema_version')::integer, 1) <= p_schema
                   AND coalesce((campaign.state -> 'flow_version')::integer, 1) <= p_flow;
    END IF;
    left_due := 0;
    IF at_work AND campaign.remaining > p_most THEN
        SELECT count(*) INTO left_due FROM marketing.units u
        WHERE u.campaign_id = p_campaign AND u.step = campaign.step AND u.stage = campaign.stage
          AND u.status IN ('pending', 'unknown') AND (u.due_at IS NULL OR u.due_at <= clock_timestamp());
        IF left_due <= p_most THEN
            left_due := 0;
        END IF;
    END IF;
    RETURN NEXT;
    IF at_work AND campaign.stage > 0 THEN
        RETURN QUERY
        SELECT NULL::marketing.campaigns, NULL::integer, u FROM marketing.units u
        WHERE u.campaign_id = p_campaign AND u.step = campaign.step AND u.stage < campaign.stage;
    END IF;
    IF at_work AND left_due = 0 THEN
        RETURN QUERY
        WITH mine AS (
            SELECT u.key FROM marketing.units u
            WHERE u.campaign_id = p_campaign AND u.step = campaign.step AND u.stage = campaign.stage
              AND u.epoch = campaign.epoch AND u.status IN ('pending', 'unknown')
              AND (u.due_at IS NULL OR u.due_at <= clock_timestamp())
            ORDER BY u.ordinal LIMIT p_limit FOR UPDATE SKIP LOCKED
        )
        UPDATE marketing.units u
        SET status = 'running', worker = p_worker, claims = u.claims + 1, started_at = clock_timestamp(), due_at = NULL
        FROM mine
        WHERE u.campaign_id = p_campaign AND u.step = campaign.step AND u.stage = campaign.stage AND u.key = mine.key
        RETURNING NULL::marketing.campaigns, NULL::integer, u;
    END IF;
END $$;

-- Claim up to p_limit due units of the stage that is at work, if it is of the worker's world; one winner per unit.
CREATE FUNCTION marketing.take(
    p_campaign text, p_mode text, p_step integer, p_stage integer, p_worker text, p_limit integer
)
RETURNS SETOF marketing.units LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketing.campaigns SET status = 'running', reason = NULL, updated_at = now()
    WHERE campaign_id = p_campaign AND mode = p_mode AND step = p_step AND stage = p_stage AND status = 'queued';
    IF FOUND THEN
        INSERT INTO marketing.events (campaign_id, kind, step, agent)
        SELECT campaign_id, 'started', step, agent FROM marketing.campaigns WHERE campaign_id = p_campaign;
    END IF;
    RETURN QUERY
    WITH due AS (
        SELECT u.key FROM marketing.units u
        JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.step = u.step AND c.stage = u.stage
                                  AND c.epoch = u.epoch AND c.mode = p_mode
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

-- A list of more than 8000 bytes is written once, into the row; the checkpoint of the step that changed it says
-- "row:<list>". The update that replaces the list moves the old one to that checkpoint.
CREATE FUNCTION marketing.move_replaced_lists() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    list text;
    in_step integer;
    was jsonb;
    is_now jsonb;
BEGIN
    FOR list, in_step IN SELECT key, value::integer FROM jsonb_each(OLD.in_row) LOOP
        was := CASE list WHEN 'leads' THEN OLD.leads WHEN 'qualified_leads' THEN OLD.qualified_leads
                         WHEN 'generated_content' THEN OLD.generated_content ELSE OLD.ad_creatives END;
        is_now := CASE list WHEN 'leads' THEN NEW.leads WHEN 'qualified_leads' THEN NEW.qualified_leads
                            WHEN 'generated_content' THEN NEW.generated_content ELSE NEW.ad_creatives END;
        IF was IS DISTINCT FROM is_now THEN
            UPDATE marketing.checkpoints k SET patch = (k.patch - ('row:' || list)) || jsonb_build_object(list, was)
            WHERE k.campaign_id = OLD.campaign_id AND k.step = in_step;
            IF (NEW.in_row -> list)::integer = in_step THEN
                NEW.in_row := nullif(NEW.in_row - list, '{}');
            END IF;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER move_replaced_lists
    BEFORE UPDATE OF leads, qualified_leads, generated_content, ad_creatives ON marketing.campaigns
    FOR EACH ROW WHEN (OLD.in_row IS NOT NULL) EXECUTE FUNCTION marketing.move_replaced_lists();

-- The checkpoints of a campaign, whole: with the lists that only the row holds.
CREATE FUNCTION marketing.checkpoints(p_campaign text)
RETURNS TABLE (of_step integer, of_agent text, whole jsonb, of_parent integer) LANGUAGE sql STABLE AS $$
    SELECT k.step, k.agent,
           CASE WHEN c.in_row IS NULL THEN k.patch ELSE
               (k.patch - ARRAY['row:leads', 'row:qualified_leads', 'row:generated_content', 'row:ad_creatives'])
               || coalesce((SELECT jsonb_object_agg(l.list, l.held)
                            FROM (VALUES ('leads', c.leads), ('qualified_leads', c.qualified_leads),
                                         ('generated_content', c.generated_content),
                                         ('ad_creatives', c.ad_creatives)) AS l(list, held)
                            WHERE k.patch ? ('row:' || l.list)), '{}') END,
           k.parent
    FROM marketing.campaigns c JOIN marketing.checkpoints k ON k.campaign_id = c.campaign_id
    WHERE c.campaign_id = p_campaign ORDER BY k.step
$$;

-- Record results, an array of {key, status, result?, error?}, and, when p_next is given and these were the stage's last
-- ones, commit the transition with them.
-- p_next: {step, stage, stage_name, agent, status, reason, claimed, units, route: [agent, ...], base,
--          patch, hops: [{step, agent, patch?}], events: [{kind, actor, step, agent, data}], due_at?, hold?, approval?};
-- base is the newest checkpoint before it, patch the changed keys of the state, but leads, qualified_leads,
-- generated_content and ad_creatives are in p_lists. A hop without a patch of its own changed just these and those.
-- p_addresses: hashes of what may be an address in all of this, null when nothing is.
-- Returns -3: it holds an address that is suppressed, and nothing was stored; -2: advanced; -1: nothing was ours (a
-- duplicate); >= 0: units still remaining.
-- A result is accepted from 'pending' and 'unknown' too: a worker that was thought dead finishes its work, and the first
-- finisher wins. The epoch fences lines of work that were abandoned on purpose. Results are taken while a campaign is
-- paused or waiting (the work was done); a transition needs it to be at work.
CREATE FUNCTION marketing.finish(
    p_campaign text, p_step integer, p_stage integer, p_epoch integer, p_revision bigint, p_worker text,
    p_results jsonb, p_next jsonb, p_lists jsonb, p_addresses text[]
) RETURNS integer LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    given integer := jsonb_array_length(p_results);
    recorded integer := 0;
    one jsonb;
    next_step integer;
    next_stage integer;
    size integer;
    hops integer;
    claimed integer;
    base integer;
    patch jsonb;
    kept jsonb;
    advanced boolean := false;
    left_over integer;
BEGIN
    IF p_addresses IS NOT NULL AND cardinality(marketing.erased(p_addresses)) > 0 THEN
        RETURN -3;
    END IF;
    FOR n IN 0 .. given - 1 LOOP
        one := p_results -> n;
        UPDATE marketing.units u
        SET status = one ->> 'status', result = one -> 'result', error = coalesce(one -> 'error', u.error),
            attempts = u.attempts + (one ? 'error')::integer, worker = p_worker, finished_at = clock_timestamp(),
            due_at = NULL
        WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = one ->> 'key'
          AND u.epoch = p_epoch AND u.status IN ('running', 'pending', 'unknown');
        IF FOUND THEN
            recorded := recorded + 1;
        END IF;
    END LOOP;
    IF recorded = 0 AND given > 0 THEN
        RETURN -1;
    END IF;
    IF p_next IS NOT NULL AND recorded = given THEN
        next_step := (p_next -> 'step')::integer;
        next_stage := (p_next -> 'stage')::integer;
        size := jsonb_array_length(p_next -> 'units');
        hops := jsonb_array_length(p_next -> 'hops');
        base := (p_next -> 'base')::integer;
        patch := p_next -> 'patch';
        UPDATE marketing.campaigns c
        SET step = next_step, stage = next_stage, stage_name = p_next ->> 'stage_name', agent = p_next ->> 'agent',
            status = p_next ->> 'status', reason = p_next ->> 'reason', due_at = (p_next ->> 'due_at')::timestamptz,
            hold = p_next -> 'hold', paused_from = NULL, stage_size = size, remaining = size,
            base_step = CASE WHEN hops > 0 THEN (p_next #> '{hops,-1,step}')::integer ELSE base END,
            route = c.route || ARRAY(SELECT jsonb_array_elements_text(p_next -> 'route')),
            state = c.state || (patch - 'agent_messages'),
            agent_messages = coalesce(patch -> 'agent_messages', c.agent_messages),
            progress_at = clock_timestamp(), publishes = 0, updated_at = now()
        WHERE c.campaign_id = p_campaign AND c.step = p_step AND c.stage = p_stage AND c.epoch = p_epoch
          AND c.revision = p_revision AND c.remaining = recorded AND c.base_step = base
          AND (c.status = 'running' OR (c.status = 'cancelling' AND c.stage_name = 'wind_down'));
        advanced := FOUND;
    END IF;
    IF NOT advanced THEN
        UPDATE marketing.campaigns c SET remaining = c.remaining - recorded, progress_at = clock_timestamp(), publishes = 0
        WHERE c.campaign_id = p_campaign AND c.step = p_step AND c.stage = p_stage AND c.epoch = p_epoch
        RETURNING c.remaining INTO left_over;
        RETURN coalesce(left_over, -1);
    END IF;
    IF p_lists IS NOT NULL THEN
        IF hops = 1 AND NOT p_next #> '{hops,0}' ? 'patch' THEN
            SELECT jsonb_object_agg(l.key, p_next #> '{hops,0,step}') INTO kept
            FROM jsonb_each(p_lists) AS l WHERE pg_column_size(l.value) > 8000;
        END IF;
        UPDATE marketing.campaigns c
        SET leads = coalesce(p_lists -> 'leads', c.leads),
            qualified_leads = coalesce(p_lists -> 'qualified_leads', c.qualified_leads),
            generated_content = coalesce(p_lists -> 'generated_content', c.generated_content),
            ad_creatives = coalesce(p_lists -> 'ad_creatives', c.ad_creatives),
            in_row = CASE WHEN kept IS NULL THEN c.in_row ELSE coalesce(c.in_row, '{}') || kept END
        WHERE c.campaign_id = p_campaign;
        patch := patch || CASE WHEN kept IS NULL THEN p_lists ELSE
            (p_lists - ARRAY(SELECT jsonb_object_keys(kept)))
            || (SELECT jsonb_object_agg('row:' || k, true) FROM jsonb_object_keys(kept) AS k) END;
    END IF;
    FOR n IN 0 .. hops - 1 LOOP
        one := p_next #> ARRAY['hops', n::text];
        INSERT INTO marketing.checkpoints (campaign_id, step, agent, patch, parent)
        VALUES (p_campaign, (one -> 'step')::integer, one ->> 'agent', coalesce(one -> 'patch', patch), base)
        ON CONFLICT (campaign_id, step) DO UPDATE SET patch = marketing.checkpoints.patch || excluded.patch, at = now();
        base := (one -> 'step')::integer;
    END LOOP;
    IF size > 0 THEN
        claimed := (p_next -> 'claimed')::integer;
        INSERT INTO marketing.units (campaign_id, step, stage, key, ordinal, stage_name, agent, kind, provider,
                                     effect_key, essential, policy, status, input, epoch, claims, worker, started_at)
        SELECT p_campaign, next_step, next_stage, u ->> 'key', n - 1, p_next ->> 'stage_name',
               coalesce(u ->> 'agent', p_next ->> 'agent'), u ->> 'kind', u ->> 'provider', u ->> 'effect_key',
               (u -> 'essential')::boolean, u -> 'policy', CASE WHEN n <= claimed THEN 'running' ELSE 'pending' END,
               u -> 'input', p_epoch, (n <= claimed)::integer, CASE WHEN n <= claimed THEN p_worker END,
               CASE WHEN n <= claimed THEN clock_timestamp() END
        FROM jsonb_array_elements(p_next -> 'units') WITH ORDINALITY AS units(u, n);
    END IF;
    INSERT INTO marketing.events (campaign_id, kind, actor, step, agent, data)
    SELECT p_campaign, e ->> 'kind', coalesce(e ->> 'actor', 'system'), (e -> 'step')::integer, e ->> 'agent',
           coalesce(e -> 'data', '{}')
    FROM jsonb_array_elements(p_next -> 'events') AS e;
    IF p_next ? 'approval' THEN
        one := p_next -> 'approval';
        INSERT INTO marketing.approvals (approval_id, campaign_id, step, kind, request, expires_at)
        VALUES (one ->> 'approval_id', p_campaign, next_step, one ->> 'kind', one -> 'request',
                (one ->> 'expires_at')::timestamptz)
        ON CONFLICT (approval_id) DO UPDATE SET status = 'open', asked_at = now(), expires_at = excluded.expires_at,
                                                reason = NULL, decided_by = NULL, decided_at = NULL;
    END IF;
    RETURN -2;
END $$;

-- finish for several campaigns in one transaction: an array of {campaign, step, stage, epoch, revision, results, next?,
-- lists?, addresses?}, ordered by campaign, so that two of these calls lock rows in the same order. Returns their codes.
CREATE FUNCTION marketing.finish_several(p_worker text, p_calls jsonb) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    codes integer[] := '{}';
    call jsonb;
BEGIN
    FOR n IN 0 .. jsonb_array_length(p_calls) - 1 LOOP
        call := p_calls -> n;
        codes := codes || marketing.finish(
            call ->> 'campaign', (call -> 'step')::integer, (call -> 'stage')::integer, (call -> 'epoch')::integer,
            (call -> 'revision')::bigint, p_worker, call -> 'results', call -> 'next', call -> 'lists',
            CASE WHEN call ? 'addresses' THEN ARRAY(SELECT jsonb_array_elements_text(call -> 'addresses')) END);
    END LOOP;
    RETURN codes;
END $$;
