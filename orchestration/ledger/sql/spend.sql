-- The spend ledger: reserve before a call, settle after it, release what was not spent. Locks are always taken in
-- this order: the unit, campaign (limits only), days or ads, the row of the call, the campaign's total, the day's total.

-- A day has a total only from the moment that a cap on it is looked at: one row for the whole fleet lets its calls
-- commit one after the other, so a fleet without that cap is spared it. Whoever writes spend holds this lock shared;
-- the first to need the total of a day holds it alone, sums up the day's rows, and from then on all keep the total. Each
-- world has days of its own.
CREATE FUNCTION marketing.spend_enter(p_mode text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    days bigint := hashtextextended('marketing.spend.days', 0);
BEGIN
    IF p_day IS NULL
       OR EXISTS (SELECT FROM marketing.spend_totals t WHERE t.scope = 'day:' || p_mode || ':' || p_day) THEN
        PERFORM pg_advisory_xact_lock_shared(days);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(days);
    INSERT INTO marketing.spend_totals (scope, currency, held, settled)
    SELECT 'day:' || p_mode || ':' || p_day, c.currency, coalesce(sum(s.held), 0), coalesce(sum(s.settled), 0)
    FROM (SELECT 'USD' UNION SELECT DISTINCT currency FROM marketing.spend
          WHERE kind = 'llm' AND mode = p_mode AND day = p_day) AS c(currency)
    LEFT JOIN marketing.spend s ON s.kind = 'llm' AND s.mode = p_mode AND s.day = p_day AND s.currency = c.currency
    GROUP BY c.currency
    ON CONFLICT DO NOTHING;
END $$;

-- The row of one call, locked; made when there is none, in the world of its campaign.
CREATE FUNCTION marketing.spend_row(
    p_campaign text, p_kind text, p_step integer, p_stage integer, p_unit text, p_entry text, p_currency text,
    p_agent text, p_provider text, p_model text
) RETURNS marketing.spend LANGUAGE plpgsql AS $$
DECLARE
    found_row marketing.spend;
BEGIN
    LOOP
        SELECT * INTO found_row FROM marketing.spend s
        WHERE s.campaign_id = p_campaign AND s.step = p_step AND s.stage = p_stage AND s.unit = p_unit
          AND s.entry = p_entry AND s.currency = p_currency FOR UPDATE;
        IF FOUND THEN
            RETURN found_row;
        END IF;
        INSERT INTO marketing.spend (campaign_id, mode, kind, step, stage, unit, entry, currency, agent, provider, model,
                                     day)
        VALUES (p_campaign, coalesce((SELECT c.mode FROM marketing.campaigns c WHERE c.campaign_id = p_campaign),
                                     (SELECT w.mode FROM marketing.world w)),
                p_kind, p_step, p_stage, p_unit, p_entry, p_currency, p_agent, p_provider, p_model,
                (clock_timestamp() AT TIME ZONE 'UTC')::date)
        ON CONFLICT DO NOTHING;
    END LOOP;
END $$;

-- Add to a total; the first of a campaign, which is never negative, makes it.
CREATE FUNCTION marketing.spend_add(p_scope text, p_currency text, p_held numeric, p_settled numeric)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_held = 0 AND p_settled = 0 THEN
        RETURN;
    END IF;
    UPDATE marketing.spend_totals t SET held = t.held + p_held, settled = t.settled + p_settled
    WHERE t.scope = p_scope AND t.currency = p_currency;
    IF NOT FOUND AND (starts_with(p_scope, 'campaign:')
                      OR EXISTS (SELECT FROM marketing.spend_totals t WHERE t.scope = p_scope)) THEN
        INSERT INTO marketing.spend_totals AS t (scope, currency, held, settled)
        VALUES (p_scope, p_currency, p_held, p_settled)
        ON CONFLICT (scope, currency) DO UPDATE SET held = t.held + excluded.held, settled = t.settled + excluded.settled;
    END IF;
END $$;

-- A total, locked; zero when nothing has been counted.
CREATE FUNCTION marketing.spend_total(p_scope text, p_currency text) RETURNS marketing.spend_totals
LANGUAGE plpgsql AS $$
DECLARE
    found_total marketing.spend_totals;
BEGIN
    INSERT INTO marketing.spend_totals (scope, currency) VALUES (p_scope, p_currency) ON CONFLICT DO NOTHING;
    SELECT * INTO found_total FROM marketing.spend_totals t
    WHERE t.scope = p_scope AND t.currency = p_currency FOR UPDATE;
    RETURN found_total;
END $$;

-- Write a row of kind 'llm' and bring both totals along. The caller holds the row's lock. A row counts on the day of
-- its newest call; days only go forward, so their totals are locked in one order.
CREATE FUNCTION marketing.spend_write(p_old marketing.spend, p_new marketing.spend) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketing.spend s
    SET agent = p_new.agent, provider = p_new.provider, model = p_new.model, held = p_new.held,
        settled = p_new.settled, calls = p_new.calls, claim = p_new.claim, presumed = p_new.presumed,
        input_tokens = p_new.input_tokens, output_tokens = p_new.output_tokens,
        unpriced_tokens = p_new.unpriced_tokens, refused = p_new.refused, wanted = p_new.wanted, day = p_new.day,
        updated_at = clock_timestamp()
    WHERE s.campaign_id = p_old.campaign_id AND s.step = p_old.step AND s.stage = p_old.stage AND s.unit = p_old.unit
      AND s.entry = p_old.entry AND s.currency = p_old.currency;
    PERFORM marketing.spend_add('campaign:' || p_old.campaign_id, p_old.currency, p_new.held - p_old.held,
                                   p_new.settled - p_old.settled);
    IF p_old.day = p_new.day THEN
        PERFORM marketing.spend_add('day:' || p_new.mode || ':' || p_new.day, p_old.currency, p_new.held - p_old.held,
                                       p_new.settled - p_old.settled);
    ELSE
        PERFORM marketing.spend_add('day:' || p_old.mode || ':' || p_old.day, p_old.currency, -p_old.held, -p_old.settled);
        PERFORM marketing.spend_add('day:' || p_new.mode || ':' || p_new.day, p_old.currency, p_new.held, p_new.settled);
    END IF;
END $$;

-- Count what is held for a call of which nobody will tell what it has cost: its worker died, or its answer was lost. It
-- may have been paid for, so it counts at its bound, in a row of its own that stays on its day, and once: an answer that
-- comes after all (p_old.claim) adds nothing. The caller holds the locks of the unit and the row.
CREATE FUNCTION marketing.spend_count_held(p_old marketing.spend) RETURNS marketing.spend LANGUAGE plpgsql AS $$
DECLARE
    new marketing.spend := p_old;
    lost marketing.spend;
    counted marketing.spend;
BEGIN
    new.held := 0;
    new.presumed := p_old.claim;
    new.claim := NULL;
    PERFORM marketing.spend_write(p_old, new);
    lost := marketing.spend_row(p_old.campaign_id, 'llm', p_old.step, p_old.stage, p_old.unit,
                                p_old.entry || '.lost.' || p_old.claim, p_old.currency, p_old.agent, p_old.provider,
                                p_old.model);
    counted := lost;
    counted.settled := lost.settled + p_old.held;
    counted.calls := lost.calls + 1;
    counted.day := p_old.day;
    PERFORM marketing.spend_write(lost, counted);
    UPDATE marketing.units u SET cost = u.cost + p_old.held, model = coalesce(u.model, p_old.model)
    WHERE u.campaign_id = p_old.campaign_id AND u.step = p_old.step AND u.stage = p_old.stage AND u.key = p_old.unit;
    RETURN new;
END $$;

-- Count one call whose attempt is over without a word (spend_count_held); false: there is none. One at a time, because
-- the totals of two campaigns can't be locked in order.
CREATE FUNCTION marketing.spend_count_lost() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    one marketing.spend;
    old marketing.spend;
    unit_status text;
    unit_claims integer;
BEGIN
    FOR one IN SELECT s.* FROM marketing.spend s
        WHERE s.claim IS NOT NULL AND NOT EXISTS (
            SELECT FROM marketing.units u
            WHERE u.campaign_id = s.campaign_id AND u.step = s.step AND u.stage = s.stage AND u.key = s.unit
              AND u.status = 'running' AND u.claims = s.claim)
    LOOP
        BEGIN
            SELECT u.status, u.claims INTO unit_status, unit_claims FROM marketing.units u
            WHERE u.campaign_id = one.campaign_id AND u.step = one.step AND u.stage = one.stage AND u.key = one.unit
            FOR UPDATE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            CONTINUE;
        END;
        CONTINUE WHEN unit_status = 'running' AND unit_claims = one.claim;
        PERFORM marketing.spend_enter(NULL, NULL);
        SELECT * INTO old FROM marketing.spend s
        WHERE s.campaign_id = one.campaign_id AND s.step = one.step AND s.stage = one.stage AND s.unit = one.unit
          AND s.entry = one.entry AND s.currency = one.currency AND s.claim = one.claim FOR UPDATE;
        IF FOUND THEN
            PERFORM marketing.spend_count_held(old);
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- Reserve the most that a call can cost (p_amount, USD; NULL: its price is not known) under the campaign's limits.llm and
-- p_day_cap, the fleet's cap per UTC day in the campaign's world. The same attempt again takes over its own reservation;
-- what an earlier attempt held, which died or lost its answer, is counted first. Without a cap in force every call is
-- granted, and held all the same: its process may die. room: what the tightest cap leaves. soon: a refused call would
-- fit if no other
-- were under way.
CREATE FUNCTION marketing.spend_reserve(
    p_campaign text, p_step integer, p_stage integer, p_unit text, p_entry text, p_claim integer, p_agent text,
    p_provider text, p_model text, p_amount numeric, p_day_cap numeric
) RETURNS TABLE (granted boolean, refused_by text, cap numeric, room numeric, soon boolean) LANGUAGE plpgsql AS $$
DECLARE
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    amount numeric(20, 10);
    world text;
    campaign_cap numeric;
    campaign_room numeric;
    day_room numeric;
    total marketing.spend_totals;
    old marketing.spend;
    new marketing.spend;
BEGIN
    SELECT c.mode, (c.state #>> '{campaign_config,limits,llm}')::numeric INTO world, campaign_cap
    FROM marketing.campaigns c WHERE c.campaign_id = p_campaign;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, 'no_campaign', 0::numeric, 0::numeric, false;
        RETURN;
    END IF;
    amount := p_amount;
    IF amount < p_amount THEN  -- rounded down; an upper bound is rounded up
        amount := amount + 0.0000000001;
    END IF;
    PERFORM FROM marketing.spend s
    WHERE s.campaign_id = p_campaign AND s.step = p_step AND s.stage = p_stage AND s.unit = p_unit
      AND s.entry = p_entry AND s.currency = 'USD' AND s.claim <> p_claim;
    IF FOUND THEN
        PERFORM FROM marketing.units u
        WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_unit FOR UPDATE;
    END IF;
    PERFORM marketing.spend_enter(world, CASE WHEN p_day_cap IS NOT NULL THEN today END);
    old := marketing.spend_row(p_campaign, 'llm', p_step, p_stage, p_unit, p_entry, 'USD', p_agent, p_provider, p_model);
    IF old.claim <> p_claim THEN
        old := marketing.spend_count_held(old);
    END IF;
    total := marketing.spend_total('campaign:' || p_campaign, 'USD');
    -- Read again under the total's lock, under which limits are changed.
    SELECT (c.state #>> '{campaign_config,limits,llm}')::numeric INTO campaign_cap
    FROM marketing.campaigns c WHERE c.campaign_id = p_campaign;
    campaign_room := campaign_cap - total.held - total.settled + old.held;
    soon := coalesce(amount <= campaign_cap - total.settled, true);
    IF p_day_cap IS NOT NULL THEN
        total := marketing.spend_total('day:' || world || ':' || today, 'USD');
        day_room := p_day_cap - total.held - total.settled
                    + CASE WHEN old.day = today THEN old.held ELSE -old.settled END;
        soon := soon AND amount <= p_day_cap - total.settled;
    END IF;
    cap := CASE WHEN day_room IS NULL OR campaign_room <= day_room THEN campaign_cap ELSE p_day_cap END;
    refused_by := CASE
        WHEN campaign_cap IS NULL AND p_day_cap IS NULL THEN NULL
        WHEN amount IS NULL THEN 'unknown_price'
        WHEN amount <= old.held AND old.day = today THEN NULL  -- asks for nothing new
        WHEN amount > campaign_room THEN 'limits.llm'
        WHEN amount > day_room THEN 'DAILY_CAP_LLM'
    END;
    new := old;
    new.model := p_model;
    IF refused_by IS NULL THEN
        new.agent := p_agent;
        new.provider := p_provider;
        new.held := coalesce(amount, 0);
        new.claim := p_claim;
        new.day := today;
        new.refused := NULL;
        new.wanted := NULL;
    ELSE
        new.refused := refused_by;
        new.wanted := amount;
    END IF;
    PERFORM marketing.spend_write(old, new);
    granted := refused_by IS NULL;
    soon := coalesce(soon AND amount IS NOT NULL, false);
    room := least(campaign_room, day_room) - CASE WHEN granted THEN amount ELSE 0 END;
    RETURN NEXT;
END $$;

-- What a call has cost replaces its hold; without a hold it is counted too. A second settling of the same call
-- changes nothing, unless p_again says that the call was made and paid for a second time; nor does the answer of a call
-- that was counted at its bound meanwhile. Another attempt's hold stays. A cost that is not known (NULL) counts as
-- tokens, and what was held for it stays held. False: nothing was counted.
CREATE FUNCTION marketing.spend_settle(
    p_campaign text, p_step integer, p_stage integer, p_unit text, p_entry text, p_claim integer, p_agent text,
    p_provider text, p_model text, p_cost numeric, p_currency text, p_input_tokens bigint, p_output_tokens bigint,
    p_again boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    old marketing.spend;
    new marketing.spend;
BEGIN
    PERFORM marketing.spend_enter(NULL, NULL);
    old := marketing.spend_row(p_campaign, 'llm', p_step, p_stage, p_unit, p_entry, p_currency, p_agent, p_provider, p_model);
    IF (old.presumed = p_claim AND old.claim IS DISTINCT FROM p_claim)
       OR (old.claim IS NULL AND old.calls > 0 AND NOT p_again) THEN
        RETURN false;
    END IF;
    new := old;
    new.agent := p_agent;
    new.provider := p_provider;
    new.model := coalesce(p_model, old.model);
    IF old.claim IS NULL OR old.claim = p_claim THEN
        new.held := CASE WHEN p_cost IS NULL THEN old.held ELSE 0 END;
        new.claim := NULL;
    END IF;
    new.settled := old.settled + coalesce(p_cost, 0);
    new.calls := old.calls + 1;
    new.input_tokens := old.input_tokens + p_input_tokens;
    new.output_tokens := old.output_tokens + p_output_tokens;
    new.unpriced_tokens := old.unpriced_tokens + CASE WHEN p_cost IS NULL THEN p_input_tokens + p_output_tokens ELSE 0 END;
    new.refused := NULL;
    new.wanted := NULL;
    PERFORM marketing.spend_write(old, new);
    RETURN true;
END $$;

-- The call was not made, or surely cost nothing: its hold is given back, if it is still the one of this claim.
CREATE FUNCTION marketing.spend_release(
    p_campaign text, p_step integer, p_stage integer, p_unit text, p_entry text, p_claim integer
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    old marketing.spend;
    new marketing.spend;
BEGIN
    PERFORM marketing.spend_enter(NULL, NULL);
    SELECT * INTO old FROM marketing.spend s
    WHERE s.campaign_id = p_campaign AND s.step = p_step AND s.stage = p_stage AND s.unit = p_unit
      AND s.entry = p_entry AND s.currency = 'USD' AND s.claim = p_claim FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    new := old;
    new.held := 0;
    new.claim := NULL;
    PERFORM marketing.spend_write(old, new);
    RETURN true;
END $$;

-- Commit one entry of a unit's journal before the unit goes on; what it cost the attempt p_claim is counted in the spend
-- ledger in the same statement. p_name is the entry's name, p_provider NULL: it cost nothing. The same entry again is a
-- repeated statement and costs nothing; another answer under the same name was paid for as well.
CREATE FUNCTION marketing.journal(
    p_campaign text, p_step integer, p_stage integer, p_key text, p_claim integer, p_name text, p_entry jsonb,
    p_provider text, p_model text, p_input_tokens bigint, p_output_tokens bigint, p_cost numeric, p_currency text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unit_agent text;
BEGIN
    UPDATE marketing.units u SET journal = u.journal || p_entry
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key
      AND NOT u.journal @> p_entry
    RETURNING u.agent INTO unit_agent;
    IF NOT FOUND OR p_provider IS NULL OR NOT marketing.spend_settle(
        p_campaign, p_step, p_stage, p_key, p_name, p_claim, unit_agent, p_provider, p_model, p_cost, p_currency,
        p_input_tokens, p_output_tokens, true)
    THEN
        RETURN;
    END IF;
    UPDATE marketing.units u
    SET model = coalesce(p_model, u.model), input_tokens = u.input_tokens + p_input_tokens,
        output_tokens = u.output_tokens + p_output_tokens, cost = u.cost + coalesce(p_cost, 0),
        unpriced_tokens = u.unpriced_tokens + CASE WHEN p_cost IS NULL THEN p_input_tokens + p_output_tokens ELSE 0 END,
        currency = coalesce(p_currency, u.currency)
    WHERE u.campaign_id = p_campaign AND u.step = p_step AND u.stage = p_stage AND u.key = p_key;
END $$;
