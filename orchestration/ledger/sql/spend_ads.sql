-- The spend ledger of ad money: what platforms were given, hold and have spent, under the campaign's and the day's caps.

-- Ad money is reserved a few times per campaign: one lock for the whole fleet, and sums instead of totals.
CREATE FUNCTION marketing.spend_lock_ads() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('marketing.spend.ads', 0))
$$;

-- The cap that has no room for p_amount to come and p_daily a day of one ad campaign; no row: all have. NULL asks for
-- no more than before and is not checked. limits.ads and limits.ads_per_day are the campaign's, p_day_cap is the
-- fleet's: the sum of the daily budgets that run in p_day_currency, in the campaign's world.
CREATE FUNCTION marketing.spend_ads_refusal(
    p_campaign text, p_effect_key text, p_currency text, p_amount numeric, p_daily numeric, p_day_cap numeric,
    p_day_currency text
) RETURNS TABLE (refused_by text, cap numeric, room numeric) LANGUAGE sql AS $$
    WITH caps AS (
        SELECT c.mode, (c.state #>> '{campaign_config,limits,ads}')::numeric AS ads,
               (c.state #>> '{campaign_config,limits,ads_per_day}')::numeric AS per_day
        FROM marketing.campaigns c WHERE c.campaign_id = p_campaign
    ), runs AS (
        SELECT s.campaign_id = p_campaign AS own, s.campaign_id = p_campaign AND s.unit = p_effect_key AS self,
               s.held, s.settled,
               CASE WHEN s.until IS NULL OR s.until > clock_timestamp() THEN s.daily ELSE 0 END AS daily
        FROM marketing.spend s JOIN caps ON caps.mode = s.mode WHERE s.kind = 'ads' AND s.currency = p_currency
    ), rooms AS (
        SELECT 1 AS place, 'limits.ads' AS name, caps.ads AS cap, p_amount AS wanted,
               caps.ads - (SELECT coalesce(sum(r.settled + CASE WHEN r.self THEN 0 ELSE r.held END), 0)
                           FROM runs r WHERE r.own) AS room FROM caps
        UNION ALL
        SELECT 2, 'limits.ads_per_day', caps.per_day, p_daily,
               caps.per_day - (SELECT coalesce(sum(r.daily), 0) FROM runs r WHERE r.own AND NOT r.self) FROM caps
        UNION ALL
        SELECT 3, 'DAILY_CAP_ADS', p_day_cap, p_daily,
               p_day_cap - (SELECT coalesce(sum(r.daily), 0) FROM runs r WHERE NOT r.self)
        WHERE p_currency = p_day_currency
        UNION ALL
        SELECT 4, 'currency', p_day_cap, coalesce(p_amount, p_daily), 0 WHERE p_currency <> p_day_currency
        UNION ALL
        SELECT 5, 'no_campaign', 0, coalesce(p_amount, p_daily), 0 WHERE NOT EXISTS (SELECT FROM caps)
    )
    SELECT r.name, r.cap, r.room FROM rooms r WHERE r.wanted > r.room ORDER BY r.place LIMIT 1
$$;

-- Reserve what a platform is to be given: p_daily a day until p_until, p_amount in all. Until it is known what the
-- platform has taken (spend_place_ads), the higher of before and after is held. Returns what was held before, to be
-- restored.
CREATE FUNCTION marketing.spend_reserve_ads(
    p_campaign text, p_effect_key text, p_agent text, p_platform text, p_currency text, p_amount numeric,
    p_daily numeric, p_until timestamptz, p_day_cap numeric, p_day_currency text
) RETURNS TABLE (refused_by text, cap numeric, room numeric, old_held numeric, old_daily numeric, old_until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    old marketing.spend;
BEGIN
    PERFORM marketing.spend_lock_ads();
    old := marketing.spend_row(p_campaign, 'ads', -1, -1, p_effect_key, 'ads', p_currency, p_agent, p_platform, NULL);
    IF old.until <= clock_timestamp() THEN
        old.daily := 0;
    END IF;
    SELECT r.refused_by, r.cap, r.room INTO refused_by, cap, room
    FROM marketing.spend_ads_refusal(
        p_campaign, p_effect_key, p_currency, CASE WHEN p_amount > old.held THEN p_amount END,
        CASE WHEN p_daily > old.daily THEN p_daily END, p_day_cap, p_day_currency) r;
    UPDATE marketing.spend s
    SET held = CASE WHEN refused_by IS NULL THEN greatest(old.held, p_amount) ELSE s.held END,
        daily = CASE WHEN refused_by IS NULL THEN greatest(old.daily, p_daily) ELSE s.daily END,
        until = CASE WHEN refused_by IS NULL THEN greatest(old.until, p_until) ELSE s.until END,
        refused = refused_by, wanted = CASE WHEN refused_by IS NOT NULL THEN p_amount END,
        wanted_daily = CASE WHEN refused_by IS NOT NULL THEN p_daily END,
        agent = p_agent, updated_at = clock_timestamp(), day = (clock_timestamp() AT TIME ZONE 'UTC')::date
    WHERE s.campaign_id = p_campaign AND s.step = -1 AND s.stage = -1 AND s.unit = p_effect_key AND s.entry = 'ads'
      AND s.currency = p_currency;
    RETURN QUERY SELECT refused_by, cap, room, old.held, old.daily, old.until;
END $$;

-- What the platform now surely has replaces what was held: p_held to come, p_daily a day. 0 and 0: it was stopped,
-- or nothing was made. Without p_currency: in the currency in which it is held.
CREATE FUNCTION marketing.spend_place_ads(
    p_campaign text, p_effect_key text, p_currency text, p_held numeric, p_daily numeric, p_until timestamptz
) RETURNS void LANGUAGE sql AS $$
    SELECT marketing.spend_lock_ads();
    UPDATE marketing.spend s SET held = p_held, daily = p_daily, until = p_until, updated_at = clock_timestamp()
    WHERE s.campaign_id = p_campaign AND s.step = -1 AND s.stage = -1 AND s.unit = p_effect_key AND s.entry = 'ads'
      AND s.currency = coalesce(p_currency, s.currency)
$$;

-- What the platform says that one revision has spent, day by day: {"2026-01-31": "12.50"}. The newest report of a
-- revision replaces the one before; what it adds goes from held to settled.
CREATE FUNCTION marketing.spend_report_ads(
    p_campaign text, p_effect_key text, p_agent text, p_platform text, p_currency text, p_revision text, p_days jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old marketing.spend;
    said jsonb;
    spent numeric;
BEGIN
    PERFORM marketing.spend_lock_ads();
    old := marketing.spend_row(p_campaign, 'ads', -1, -1, p_effect_key, 'ads', p_currency, p_agent, p_platform, NULL);
    said := old.reported || jsonb_build_object(p_revision, p_days);
    SELECT coalesce(sum(d.amount::numeric), 0) INTO spent
    FROM jsonb_each(said) AS r(revision, days), jsonb_each_text(r.days) AS d(day, amount);
    UPDATE marketing.spend s
    SET reported = said, settled = spent, held = greatest(0, s.held - greatest(0, spent - s.settled)),
        updated_at = clock_timestamp(), day = (clock_timestamp() AT TIME ZONE 'UTC')::date
    WHERE s.campaign_id = p_campaign AND s.step = -1 AND s.stage = -1 AND s.unit = p_effect_key AND s.entry = 'ads'
      AND s.currency = p_currency;
END $$;

-- What caps have refused to units that still wait for it in the stage at work, and whether it would fit now (a day
-- without a total has room: reserving will see). What was refused for want of a price fits when no cap is in force.
CREATE FUNCTION marketing.spend_refusals(
    p_campaigns text[], p_llm_cap numeric, p_ads_cap numeric, p_ads_currency text
) RETURNS TABLE (waiting_campaign text, refused_by text, wanted_model text, fits boolean) LANGUAGE sql AS $$
    SELECT s.campaign_id, s.refused, s.model, CASE s.kind
        WHEN 'ads' THEN NOT EXISTS (SELECT FROM marketing.spend_ads_refusal(
            s.campaign_id, s.unit, s.currency, s.wanted, s.wanted_daily, p_ads_cap, p_ads_currency))
        ELSE coalesce(coalesce(t.held + t.settled, 0) - s.held + s.wanted <= l.cap, l.cap IS NULL)
             AND coalesce(coalesce(d.held + d.settled, 0) - CASE WHEN s.day = l.today THEN s.held ELSE 0 END + s.wanted
                          <= p_llm_cap, p_llm_cap IS NULL) END
    FROM marketing.campaigns c
    JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step AND u.stage = c.stage
                          AND u.epoch = c.epoch AND u.status IN ('pending', 'unknown')
    JOIN marketing.spend s ON s.campaign_id = c.campaign_id AND s.refused IS NOT NULL
                          AND ((s.kind = 'llm' AND s.step = c.step AND s.stage = c.stage AND s.unit = u.key)
                               OR (s.kind = 'ads' AND s.unit = u.effect_key))
    CROSS JOIN LATERAL (SELECT (c.state #>> '{campaign_config,limits,llm}')::numeric AS cap,
                               (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) l
    LEFT JOIN marketing.spend_totals t ON t.scope = 'campaign:' || c.campaign_id AND t.currency = 'USD'
    LEFT JOIN marketing.spend_totals d ON d.scope = 'day:' || c.mode || ':' || l.today AND d.currency = 'USD'
    WHERE c.campaign_id = ANY(p_campaigns)
$$;
