-- Erasure: who must not be stored. Whatever may hold an address passes through `erased` in the transaction that stores it,
-- so an address that is suppressed is in no transaction that begins to look after `suppress` has returned, and in none that
-- commits after it either: the one takes the other's lock. The number names that lock and nothing else.

-- Put an address, by its hashes, on the suppression list, once all who are storing something have stored it: what they have
-- stored can then be seen, and be removed. The first reason stays. Returns whether none of the hashes was on the list.
CREATE FUNCTION marketing.suppress(p_hashes text[], p_reason text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    is_new boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(451);
    is_new := NOT EXISTS (SELECT FROM marketing.suppressions s WHERE s.address_hash = ANY (p_hashes));
    INSERT INTO marketing.suppressions (address_hash, reason)
    SELECT h, p_reason FROM unnest(p_hashes) AS h ORDER BY h ON CONFLICT DO NOTHING;
    RETURN is_new;
END $$;

-- Return those of the hashes that are on the list, which stays as it is until the transaction ends.
CREATE FUNCTION marketing.erased(p_hashes text[]) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(451);
    RETURN ARRAY(SELECT s.address_hash FROM marketing.suppressions s WHERE s.address_hash = ANY (p_hashes));
END $$;
