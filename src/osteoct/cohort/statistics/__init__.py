"""Statistics of a cohort: pure functions from a table to records.

The table is a pandas DataFrame with the columns of ``cohort.csv`` (one row per patient); columns
that are absent are taken as empty. Public functions, each in the file named first:

``analysis``
    ``analyze_table(table, choices) -> CohortStatistics``: everything below in one call.
``cohort_table``
    ``prepare_table(table, choices) -> PreparedTable`` (``.table``, ``.ignored``): types, one
    spelling, unreadable and non-finite cells as missing with a count; ``group``,
    ``outcome_low_bmd`` and ``outcome_osteoporosis`` from the T-scores by the chosen definition and
    site. The functions below take ``.table``.
``tscore``
    ``deciding_t_score(table, site) -> Series``; ``assign_groups(t_score, definition) -> Series``
``describe``
    ``describe_cohort(table) -> tuple[DescribeRow, ...]``
``correlation``
    ``correlate(table) -> tuple[Correlation, ...]``;
    ``fit_band(correlation, hu) -> (line, low, high)`` for a scatter
``groups``
    ``compare_groups(table, choices) -> GroupComparison`` (``.tests``, ``.post_hoc``,
    ``.effect_sizes``)
``roc``
    ``analyze_rocs(table) -> tuple[Roc, ...]``; ``compare_rocs(table) -> tuple[RocPair, ...]``
``cutoffs``
    ``find_cutoffs(table, choices) -> tuple[Cutoff, ...]``
``published``
    ``check_published_cutoffs(table, protocol) -> tuple[FixedCutoff, ...]``
``logistic``
    ``fit_models(table, choices) -> tuple[LogisticModel, ...]``
``agreement``
    ``compare_methods(first, second, name=) -> Agreement``;
    ``measure_precision(repeats, name=) -> Agreement`` (table patients × repeats)
``robustness``
    ``vary_choices(table, choices) -> tuple[RobustnessRow, ...]``
"""
