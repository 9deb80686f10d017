-- Switching a paused campaign's ads off and on again.

-- Write down a wish for the campaign's ads; the campaign is paused until it is carried out, or longer. p_newest is
-- the wish that the caller has seen (0 for none). Returns whether it was written.
CREATE FUNCTION marketing.ask_ads(
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
    PERFORM marketing.set_status(p_campaign, NULL, p_from, 'paused', p_reason, NULL, '{}', p_event, p_actor, p_data);
    UPDATE marketing.campaigns SET progress_at = clock_timestamp() WHERE campaign_id = p_campaign;
    RETURN true;
END $$;

-- The units of a wish, once nothing else of the campaign is at work. Returns whether they were written.
CREATE FUNCTION marketing.plan_ads(p_campaign text, p_number integer, p_units jsonb)
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
    PERFORM marketing.insert_units(p_campaign, -p_number, 0, 'switch_ads', 'ad_management', at_work.epoch, p_units,
                                      NULL, 0);
    RETURN true;
END $$;

-- Claim the due units of a wish that counts.
CREATE FUNCTION marketing.take_ads(p_campaign text, p_number integer, p_worker text)
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
CREATE FUNCTION marketing.finish_ads(p_campaign text, p_number integer, p_worker text, p_result jsonb)
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
CREATE FUNCTION marketing.settle_ads(
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
    RETURN marketing.set_status(p_campaign, NULL, ARRAY['paused'],
                                   CASE WHEN wish.go_on THEN '<paused_from>' ELSE 'paused' END, p_reason, NULL, '{}',
                                   p_event, CASE WHEN wish.go_on THEN wish.actor ELSE 'system' END, p_data);
END $$;
