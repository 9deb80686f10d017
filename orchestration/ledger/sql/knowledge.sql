-- The knowledge base: documents in chunks, found by their words (BM25 over a table of postings) and, where the extension
-- `vector` is there, by what they mean. What is derived from a chunk's text is kept by a trigger, so that whoever changes
-- the text (an erasure does) leaves nothing of the old one behind.

CREATE TABLE marketing.documents (
    document_id text PRIMARY KEY,
    brand       text NOT NULL,                     -- lower case; '': of every brand
    title       text NOT NULL,
    source      text NOT NULL,
    language    text NOT NULL,                     -- a text search configuration of Postgres: english, german, ..., simple
    chunks      integer NOT NULL DEFAULT 0,        -- how many it has, ...
    words       integer NOT NULL DEFAULT 0,        -- ... and of how many words in all, without stop words
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX documents_of_source ON marketing.documents (brand, source);

CREATE TABLE marketing.chunks (
    chunk       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- what postings and vectors are kept under
    chunk_id    text NOT NULL UNIQUE,
    document_id text NOT NULL REFERENCES marketing.documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    heading     text NOT NULL,                     -- headings above it, outermost first; searched too
    text        text NOT NULL
);
CREATE INDEX chunks_of_document ON marketing.chunks (document_id);

-- Postings: which chunk holds a word, how often. Words and brands are numbers, which take less room and keep no text. All
-- that a ranking needs is in the index.
CREATE TABLE marketing.chunk_terms (
    term  bigint NOT NULL,                         -- term_of(language, lexeme)
    brand integer NOT NULL,                        -- brand_of(brand)
    chunk bigint NOT NULL REFERENCES marketing.chunks ON DELETE CASCADE,
    times smallint NOT NULL,
    words integer NOT NULL,                        -- the chunk's
    PRIMARY KEY (term, brand, chunk) INCLUDE (times, words)
);
CREATE INDEX chunk_terms_of_chunk ON marketing.chunk_terms (chunk);

-- Two words, also of different languages, share one of 2^64 numbers so seldom that a ranking never shows it.
CREATE FUNCTION marketing.term_of(p_language text, p_lexeme text) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN hashtextextended(p_language || '/' || p_lexeme, 0);

-- Two brands may share a number; what is found is compared by name in the end.
CREATE FUNCTION marketing.brand_of(p_brand text) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN CASE WHEN p_brand = '' THEN 0 ELSE hashtext(p_brand) END;

-- Write down which words chunks hold, with those of their headings and of their documents' titles, and forget what was made
-- of another text of theirs.
CREATE FUNCTION marketing.index_words(p_chunks bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM marketing.chunk_terms t WHERE t.chunk = ANY (p_chunks);
    INSERT INTO marketing.chunk_terms (term, brand, chunk, times, words)
    SELECT marketing.term_of(d.language, w.lexeme), marketing.brand_of(d.brand), c.chunk, cardinality(w.positions),
           sum(cardinality(w.positions)) OVER (PARTITION BY c.chunk)
    FROM marketing.chunks c JOIN marketing.documents d USING (document_id),
         unnest(to_tsvector(d.language::regconfig, concat_ws(E'\n', d.title, c.heading, c.text))) AS w
    WHERE c.chunk = ANY (p_chunks);
    IF to_regclass('marketing.chunk_vectors') IS NOT NULL THEN
        DELETE FROM marketing.chunk_vectors v WHERE v.chunk = ANY (p_chunks);
    END IF;
END $$;

CREATE FUNCTION marketing.index_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT DISTINCT o.document_id FROM was o);
    ELSIF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT DISTINCT n.document_id FROM became n);
        PERFORM marketing.index_words(ARRAY(SELECT n.chunk FROM became n));
    ELSE
        touched := ARRAY(SELECT DISTINCT n.document_id FROM became n);
        PERFORM marketing.index_words(ARRAY(
            SELECT n.chunk FROM became n JOIN was o USING (chunk) WHERE (n.heading, n.text) <> (o.heading, o.text)));
    END IF;
    UPDATE marketing.documents d
    SET chunks = (SELECT count(*) FROM marketing.chunks c WHERE c.document_id = d.document_id),
        words = (SELECT coalesce(sum(t.times), 0) FROM marketing.chunks c JOIN marketing.chunk_terms t USING (chunk)
                 WHERE c.document_id = d.document_id)
    WHERE d.document_id = ANY (touched);
    RETURN NULL;
END $$;
CREATE TRIGGER index_new AFTER INSERT ON marketing.chunks REFERENCING NEW TABLE AS became
FOR EACH STATEMENT EXECUTE FUNCTION marketing.index_chunks();
CREATE TRIGGER index_changed AFTER UPDATE ON marketing.chunks REFERENCING OLD TABLE AS was NEW TABLE AS became
FOR EACH STATEMENT EXECUTE FUNCTION marketing.index_chunks();
CREATE TRIGGER index_gone AFTER DELETE ON marketing.chunks REFERENCING OLD TABLE AS was
FOR EACH STATEMENT EXECUTE FUNCTION marketing.index_chunks();

-- A title counts among the words of each chunk of its document.
CREATE FUNCTION marketing.index_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM marketing.index_words(ARRAY(SELECT c.chunk FROM marketing.chunks c WHERE c.document_id = NEW.document_id));
    RETURN NULL;
END $$;
CREATE TRIGGER index_document AFTER UPDATE OF title, language ON marketing.documents
FOR EACH ROW WHEN ((OLD.title, OLD.language) IS DISTINCT FROM (NEW.title, NEW.language))
EXECUTE FUNCTION marketing.index_document();

-- Return the chunks of a brand, and of every brand, that hold a word of the question, best first by BM25 (Robertson and
-- Zaragoza, The Probabilistic Relevance Framework, 2009; k1 = 1.2, b = 0.75; the inverse document frequency is Lucene's,
-- which is never negative). The question is read in each language that there are documents in. `share` is the score as a
-- part of the most that the question could bring: a chunk that holds one common word of six has little of it, however much
-- it leads.
CREATE FUNCTION marketing.find_by_words(p_question text, p_brand text, p_limit integer)
RETURNS TABLE (chunk bigint, score double precision, share double precision) LANGUAGE sql STABLE AS $$
WITH mine AS (
    SELECT d.language, sum(d.chunks) AS chunks, sum(d.words) AS words
    FROM marketing.documents d WHERE d.brand IN ('', p_brand) GROUP BY d.language
), total AS (
    SELECT sum(m.chunks)::float8 AS chunks, greatest(sum(m.words)::float8 / sum(m.chunks), 1) AS words FROM mine m
), asked AS (
    SELECT DISTINCT m.language, marketing.term_of(m.language, w.lexeme) AS term
    FROM mine m, unnest(to_tsvector(m.language::regconfig, p_question)) AS w
), weight AS MATERIALIZED (
    SELECT a.language, a.term, ln(1 + (n.chunks - f.chunks + 0.5) / (f.chunks + 0.5)) AS idf
    FROM total n, asked a, LATERAL (
        SELECT count(*) AS chunks FROM marketing.chunk_terms t
        WHERE t.term = a.term AND t.brand IN (0, marketing.brand_of(p_brand))) AS f
), scored AS (
    SELECT t.chunk, sum(w.idf * t.times * 2.2 / (t.times + 1.2 * (0.25 + 0.75 * t.words / n.words))) AS score
    FROM total n, weight w, LATERAL (
        SELECT t.chunk, t.times, t.words FROM marketing.chunk_terms t
        WHERE t.term = w.term AND t.brand IN (0, marketing.brand_of(p_brand))) AS t
    GROUP BY t.chunk ORDER BY score DESC FETCH FIRST p_limit ROWS WITH TIES
)
SELECT s.chunk, s.score, s.score / (SELECT 2.2 * sum(w.idf) FROM weight w WHERE w.language = d.language)
FROM scored s JOIN marketing.chunks c USING (chunk) JOIN marketing.documents d USING (document_id)
WHERE d.brand IN ('', p_brand) ORDER BY s.score DESC, d.document_id, c.ordinal LIMIT p_limit
$$;

-- What of a chunk is embedded: its own heading, or its document's title where it has none, and its text. Headings further up
-- are the same for many chunks, and make them alike.
CREATE FUNCTION marketing.text_to_embed(p_title text, p_heading text, p_text text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN coalesce(nullif(regexp_replace(p_heading, '^.* > ', ''), ''), p_title) || E'\n' || p_text;

-- Make the table of vectors, and the extension that it needs, where the server has it (pgvector 0.7 or newer) and lets us.
-- Returns whether there is such a table. Vectors of half precision rank as full ones do and stay in their row up to 4000
-- dimensions, so a question reads them all, in exact order, without an index whose answers would depend on its history.
CREATE FUNCTION marketing.make_vectors() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('marketing.chunk_vectors') IS NOT NULL THEN
        RETURN true;
    END IF;
    IF to_regtype('halfvec') IS NULL THEN
        BEGIN
            CREATE EXTENSION vector;
        EXCEPTION WHEN OTHERS THEN             -- not installed, or not for us to create
            RETURN false;
        END;
    END IF;
    IF to_regtype('halfvec') IS NULL THEN
        RETURN false;
    END IF;
    CREATE TABLE marketing.chunk_vectors (
        model     text NOT NULL,               -- what made it, as the server that was asked calls it
        brand     integer NOT NULL,            -- brand_of(brand)
        chunk     bigint NOT NULL REFERENCES marketing.chunks ON DELETE CASCADE,
        size      integer NOT NULL,            -- dimensions
        embedding halfvec NOT NULL,            -- of length 1
        PRIMARY KEY (model, chunk)
    ) WITH (toast_tuple_target = 8160);
    ALTER TABLE marketing.chunk_vectors ALTER COLUMN embedding SET STORAGE EXTERNAL;
    CREATE INDEX chunk_vectors_of_chunk ON marketing.chunk_vectors (chunk);
    RETURN true;
END $$;
SELECT marketing.make_vectors();
