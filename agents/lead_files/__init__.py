"""Files of the user's own leads, from any program, read into rows with our column names.

``reading`` is the entrance. A file passes ``formats`` (what it is), ``encoding`` (its text), a reader of its format
(``delimited``, ``spreadsheet``, ``html_table``, ``json_records``, ``vcard``, ``address_list``), ``header_row`` and
``columns`` (what its columns mean) and ``people`` (who its rows are). Nothing here reaches outside, and nothing is
dropped without a reason.
"""
