-- What each inserted or updated row of the hot tables costs, measured: foreign keys cost a trigger a row, check
-- constraints are parsed again by every statement, an index on a column that always changes makes every update write
-- all indexes (it can't be HOT), and a state of a few kB was compressed at every hop.

-- A campaign takes its rows along by one trigger of its own: deleting is rare, inserting is not.
ALTER TABLE marketing.units DROP CONSTRAINT units_campaign_id_fkey;
ALTER TABLE marketing.checkpoints DROP CONSTRAINT checkpoints_campaign_id_fkey;
ALTER TABLE marketing.events DROP CONSTRAINT events_campaign_id_fkey;
CREATE FUNCTION marketing.delete_rows_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM marketing.units WHERE campaign_id = OLD.campaign_id;
    DELETE FROM marketing.checkpoints WHERE campaign_id = OLD.campaign_id;
    DELETE FROM marketing.events WHERE campaign_id = OLD.campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_rows AFTER DELETE ON marketing.campaigns
    FOR EACH ROW EXECUTE FUNCTION marketing.delete_rows_of_campaign();

-- The words of a status are those of the functions and of agents.unit.UnitStatus; nothing else writes it.
ALTER TABLE marketing.units DROP CONSTRAINT units_status_check;
ALTER TABLE marketing.campaigns DROP CONSTRAINT campaigns_status_check;

-- updated_at must not be in an index: a transition, which leaves the status alone, is then a HOT update.
DROP INDEX marketing.campaigns_stopped;
CREATE INDEX campaigns_stopped ON marketing.campaigns (campaign_id) WHERE status IN ('paused', 'cancelling');

-- One index for the history, not two.
ALTER TABLE marketing.events DROP CONSTRAINT events_pkey;
DROP INDEX marketing.events_of_campaign;
ALTER TABLE marketing.events ADD PRIMARY KEY (campaign_id, id);

-- The small keys change at each hop: they stay in the row as they are, with room for its next versions beside it. Lists that don't fit are
-- written once, uncompressed: compressing costs more than writing what it saves.
ALTER TABLE marketing.campaigns SET (toast_tuple_target = 3000, fillfactor = 40);
ALTER TABLE marketing.campaigns
    ALTER COLUMN state SET STORAGE MAIN,
    ALTER COLUMN leads SET STORAGE EXTERNAL,
    ALTER COLUMN qualified_leads SET STORAGE EXTERNAL,
    ALTER COLUMN generated_content SET STORAGE EXTERNAL,
    ALTER COLUMN ad_creatives SET STORAGE EXTERNAL,
    ALTER COLUMN agent_messages SET STORAGE EXTERNAL;
-- Which lists are in the row only, and the checkpoint that names but doesn't hold them: {"leads": 0}.
ALTER TABLE marketing.campaigns ADD COLUMN in_row jsonb;
ALTER TABLE marketing.checkpoints SET (toast_tuple_target = 4080);
ALTER TABLE marketing.checkpoints ALTER COLUMN patch SET STORAGE EXTERNAL;
