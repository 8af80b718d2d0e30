-- Hashes: SHA-256, which SQLite does not have, computed in SQL as FIPS 180-4 describes it. One row of "rounds" is one of
-- the 64 rounds of one block of 64 bytes. The result is a temporary table that the question "chain" reads. Nothing is
-- written to the database itself.
DROP TABLE IF EXISTS temp.evenbooks_hashes;
CREATE TEMP TABLE evenbooks_hashes AS
WITH RECURSIVE
-- What is hashed: of each event the hash before it and its body, and of each note its salt and its text.
messages(message, bytes) AS MATERIALIZED (
    SELECT 2 * id, CAST(prev || body AS BLOB) FROM evenbooks_events
    UNION ALL
    SELECT 2 * id + 1, CAST(COALESCE(note_salt, '') || note AS BLOB) FROM evenbooks_events WHERE note IS NOT NULL
),
-- Blocks of 64 bytes, enough for the bytes, a bit 1, and the length in bits, which is 8 bytes long.
numbered(message, block, blocks) AS (
    SELECT message, 0, (length(bytes) + 72) / 64 FROM messages
    UNION ALL
    SELECT message, block + 1, blocks FROM numbered WHERE block + 1 < blocks
),
-- Their content in hexadecimal, 128 digits, filled up with zeros.
blocks(message, block, blocks, digits) AS MATERIALIZED (
    SELECT
        message,
        block,
        blocks,
        substr(
            hex(substr(bytes, 64 * block + 1, 64))
                || CASE WHEN 64 * block <= length(bytes) THEN '80' ELSE '' END
                || printf('%0128d', 0),
            1,
            CASE WHEN block + 1 < blocks THEN 128 ELSE 112 END
        ) || CASE WHEN block + 1 < blocks THEN '' ELSE printf('%016X', 8 * length(bytes)) END
    FROM numbered CROSS JOIN messages USING (message)
),
constants(round, k) AS (
    VALUES
        (0, 0x428a2f98), (1, 0x71374491), (2, 0xb5c0fbcf), (3, 0xe9b5dba5), (4, 0x3956c25b), (5, 0x59f111f1),
        (6, 0x923f82a4), (7, 0xab1c5ed5), (8, 0xd807aa98), (9, 0x12835b01), (10, 0x243185be), (11, 0x550c7dc3),
        (12, 0x72be5d74), (13, 0x80deb1fe), (14, 0x9bdc06a7), (15, 0xc19bf174), (16, 0xe49b69c1), (17, 0xefbe4786),
        (18, 0x0fc19dc6), (19, 0x240ca1cc), (20, 0x2de92c6f), (21, 0x4a7484aa), (22, 0x5cb0a9dc), (23, 0x76f988da),
        (24, 0x983e5152), (25, 0xa831c66d), (26, 0xb00327c8), (27, 0xbf597fc7), (28, 0xc6e00bf3), (29, 0xd5a79147),
        (30, 0x06ca6351), (31, 0x14292967), (32, 0x27b70a85), (33, 0x2e1b2138), (34, 0x4d2c6dfc), (35, 0x53380d13),
        (36, 0x650a7354), (37, 0x766a0abb), (38, 0x81c2c92e), (39, 0x92722c85), (40, 0xa2bfe8a1), (41, 0xa81a664b),
        (42, 0xc24b8b70), (43, 0xc76c51a3), (44, 0xd192e819), (45, 0xd6990624), (46, 0xf40e3585), (47, 0x106aa070),
        (48, 0x19a4c116), (49, 0x1e376c08), (50, 0x2748774c), (51, 0x34b0bcb5), (52, 0x391c0cb3), (53, 0x4ed8aa4a),
        (54, 0x5b9cca4f), (55, 0x682e6ff3), (56, 0x748f82ee), (57, 0x78a5636f), (58, 0x84c87814), (59, 0x8cc70208),
        (60, 0x90befffa), (61, 0xa4506ceb), (62, 0xbef9a3f7), (63, 0xc67178f2)
),
rounds(
    message, block, blocks, digits, round, a, b, c, d, e, f, g, h, h0, h1, h2, h3, h4, h5, h6, h7,
    w, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15
) AS (
    SELECT
        message, 0, blocks, digits, 0,
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
        (
            ((instr('0123456789ABCDEF', substr(digits, 1, 1)) - 1) << 28) | ((instr('0123456789ABCDEF', substr(digits, 2, 1)) - 1) << 24)
            | ((instr('0123456789ABCDEF', substr(digits, 3, 1)) - 1) << 20) | ((instr('0123456789ABCDEF', substr(digits, 4, 1)) - 1) << 16)
            | ((instr('0123456789ABCDEF', substr(digits, 5, 1)) - 1) << 12) | ((instr('0123456789ABCDEF', substr(digits, 6, 1)) - 1) << 8)
            | ((instr('0123456789ABCDEF', substr(digits, 7, 1)) - 1) << 4) | ((instr('0123456789ABCDEF', substr(digits, 8, 1)) - 1) << 0)
        ),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM blocks
    WHERE block = 0
    UNION ALL
    -- A round. x | (x << 32) shifted right is x rotated right, and (x | y) - (x & y) is x XOR y, which SQLite lacks.
    SELECT
        message, block, blocks, digits, r.round + 1,
        (
            h
            + (SELECT (((x | y) - (x & y)) >> 6) & 0xffffffff FROM (SELECT x, ((x >> 5) | (x >> 19)) - ((x >> 5) & (x >> 19)) AS y FROM (SELECT e | (e << 32) AS x LIMIT 1) LIMIT 1))
            + ((e & f) | (~e & g)) + k + w
            + (SELECT (((x | y) - (x & y)) >> 2) & 0xffffffff FROM (SELECT x, ((x >> 11) | (x >> 20)) - ((x >> 11) & (x >> 20)) AS y FROM (SELECT a | (a << 32) AS x LIMIT 1) LIMIT 1))
            + ((a & b) | (c & (a | b)))
        ) & 0xffffffff,
        a, b, c,
        (
            d + h
            + (SELECT (((x | y) - (x & y)) >> 6) & 0xffffffff FROM (SELECT x, ((x >> 5) | (x >> 19)) - ((x >> 5) & (x >> 19)) AS y FROM (SELECT e | (e << 32) AS x LIMIT 1) LIMIT 1))
            + ((e & f) | (~e & g)) + k + w
        ) & 0xffffffff,
        e, f, g, h0, h1, h2, h3, h4, h5, h6, h7,
        -- The next word: one of the block, and from the 17th on one made of those before it.
        CASE
            WHEN r.round < 15 THEN
                (
                    ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 9, 1)) - 1) << 28) | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 10, 1)) - 1) << 24)
                    | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 11, 1)) - 1) << 20) | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 12, 1)) - 1) << 16)
                    | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 13, 1)) - 1) << 12) | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 14, 1)) - 1) << 8)
                    | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 15, 1)) - 1) << 4) | ((instr('0123456789ABCDEF', substr(digits, 8 * r.round + 16, 1)) - 1) << 0)
                )
            ELSE (
                w6 + w15
                + (SELECT (x | y) - (x & y) FROM (SELECT (((x >> 7) | (x >> 18)) - ((x >> 7) & (x >> 18))) & 0xffffffff AS x, w14 >> 3 AS y FROM (SELECT w14 | (w14 << 32) AS x LIMIT 1) LIMIT 1))
                + (SELECT (x | y) - (x & y) FROM (SELECT (((x >> 17) | (x >> 19)) - ((x >> 17) & (x >> 19))) & 0xffffffff AS x, w1 >> 10 AS y FROM (SELECT w1 | (w1 << 32) AS x LIMIT 1) LIMIT 1))
            ) & 0xffffffff
        END,
        w, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14
    FROM rounds AS r CROSS JOIN constants ON constants.round = r.round
    UNION ALL
    -- After 64 rounds: what they made is added to what was before, and the next block begins.
    SELECT
        p.message, p.block, p.blocks, p.digits, 0,
        (h0 + a) & 0xffffffff, (h1 + b) & 0xffffffff, (h2 + c) & 0xffffffff, (h3 + d) & 0xffffffff,
        (h4 + e) & 0xffffffff, (h5 + f) & 0xffffffff, (h6 + g) & 0xffffffff, (h7 + h) & 0xffffffff,
        (h0 + a) & 0xffffffff, (h1 + b) & 0xffffffff, (h2 + c) & 0xffffffff, (h3 + d) & 0xffffffff,
        (h4 + e) & 0xffffffff, (h5 + f) & 0xffffffff, (h6 + g) & 0xffffffff, (h7 + h) & 0xffffffff,
        (
            ((instr('0123456789ABCDEF', substr(p.digits, 1, 1)) - 1) << 28) | ((instr('0123456789ABCDEF', substr(p.digits, 2, 1)) - 1) << 24)
            | ((instr('0123456789ABCDEF', substr(p.digits, 3, 1)) - 1) << 20) | ((instr('0123456789ABCDEF', substr(p.digits, 4, 1)) - 1) << 16)
            | ((instr('0123456789ABCDEF', substr(p.digits, 5, 1)) - 1) << 12) | ((instr('0123456789ABCDEF', substr(p.digits, 6, 1)) - 1) << 8)
            | ((instr('0123456789ABCDEF', substr(p.digits, 7, 1)) - 1) << 4) | ((instr('0123456789ABCDEF', substr(p.digits, 8, 1)) - 1) << 0)
        ),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM rounds AS r CROSS JOIN blocks AS p ON p.message = r.message AND p.block = r.block + 1
    WHERE r.round = 64
)
SELECT
    message / 2 AS event,
    message % 2 AS of_note,
    printf(
        '%08x%08x%08x%08x%08x%08x%08x%08x',
        (h0 + a) & 0xffffffff, (h1 + b) & 0xffffffff, (h2 + c) & 0xffffffff, (h3 + d) & 0xffffffff,
        (h4 + e) & 0xffffffff, (h5 + f) & 0xffffffff, (h6 + g) & 0xffffffff, (h7 + h) & 0xffffffff
    ) AS hash
FROM rounds
WHERE round = 64 AND block + 1 = blocks;
CREATE INDEX temp.evenbooks_hashes_event ON evenbooks_hashes (event, of_note);
