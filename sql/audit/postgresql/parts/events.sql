    -- `said` is what the body says, and nothing where the body is no JSON: asked to read such a one, the server would
    -- raise an error. So it is told apart first: strings become "", other values 0, blanks go, and then brackets with
    -- nothing but values in them become a value, until one value is left, or something else.
    SELECT
        e.*,
        plain.words IN ('0', '""') AS is_json,
        CASE WHEN plain.words IN ('0', '""') THEN e.body ELSE '{}' END::json AS said
    FROM evenbooks_events AS e
    CROSS JOIN LATERAL (
        WITH RECURSIVE shorter(step, words) AS (
            SELECT
                0,
                regexp_replace(
                    regexp_replace(
                        regexp_replace(
                            e.body,
                            '"(?:[^"\\\x01-\x1f]|\\["\\/bfnrt]|\\u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}'
                            '|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"',
                            '""',
                            'g'
                        ),
                        '-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null',
                        '0',
                        'g'
                    ),
                    '[ \t\n\r]+',
                    '',
                    'g'
                )
            UNION ALL
            SELECT shorter.step + 1, made.words
            FROM shorter
            CROSS JOIN LATERAL (
                SELECT regexp_replace(
                    shorter.words,
                    '\[(?:(?:0|"")(?:,(?:0|""))*)?\]|\{(?:"":(?:0|"")(?:,"":(?:0|""))*)?\}',
                    '0',
                    'g'
                ) AS words
            ) AS made
            WHERE made.words <> shorter.words
        )
        SELECT shorter.words FROM shorter ORDER BY shorter.step DESC LIMIT 1
    ) AS plain
