"""What every figure of a report means, in one sentence each: printed beside the figures and in `report.json`."""

CAPTION_ZH = "内部关注级，非法定预警"
CAPTION_EN = "internal level, not a statutory warning"
LIMIT_ZH = "不作为考核、问责、排名依据"
LIMIT_EN = "not for appraisal, discipline or ranking"

ROWS = {
    "headline": "The first row of each subject that has a known label, sorted by at (equal ones in file order); "
    "the first fifth of these rows (n // 5) is dropped.",
    "after_fifth_of_span": "The first row of each subject that has a known label, from the moment on at which a fifth "
    "of the time from the first to the last of these rows has passed.",
    "landmarks": "Every row with a known label whose at is not before the first headline row.",
    "clock": "The landmark rows that have a clock (share is not empty).",
    "all": "Every row with a known label, warm-up included.",
}

FIGURES = {
    "auc": (
        "AUC",
        "排序能力（AUC）",
        "Share of (positive, negative) pairs of rows in the right order by score, a tie counting half.",
    ),
    "average_precision": (
        "Average precision",
        "平均查准率",
        "Sum over the distinct scores, worst first, of precision at that score times the recall gained there.",
    ),
    "precision_at_10_percent": (
        "Precision at 10 %",
        "前10%查准率",
        "Share of positives among the worst tenth of the rows by score; rows tied at the edge count in part.",
    ),
    "detection_at_1_percent": (
        "Detection at 1 % false alarms",
        "误提示率1%时的查全率",
        "Share of positive rows above the lowest cut-off that at most 1 % of the negative rows reach.",
    ),
    "log_loss": ("Log-loss", "对数损失", "Mean of -ln(probability given to what really came), in nats."),
    "brier": ("Brier score", "布赖尔评分", "Mean squared difference of probability and label."),
    "calibration_error": (
        "Calibration error",
        "校准误差",
        "Ten groups of about equal size, group = (rows with a smaller probability) * 10 // rows: mean of "
        "|mean probability - share of positives|, weighted by size.",
    ),
    "lead_time_days": (
        "Median lead time, days",
        "提前量中位数（天）",
        "For headline positives raised to yellow or above before their end was known: days from that first raise to "
        "label_known_at; median.",
    ),
    "warned_share": (
        "Warned in advance",
        "提前提示比例",
        "Share of headline positives with a raise to yellow or above for this outcome before their end was known.",
    ),
    "proved_share": (
        "Share proved true",
        "属实率（仅计已有结果）",
        "Share of positives among headline subjects raised to yellow or above for this outcome before their end was "
        "known.",
    ),
}

BY = {
    "model": ("model", "模型"),
    "rate_list": ("category rate list", "类别历史比例表"),
    "clock_share": ("share of the clock used", "时限已用比例"),
}

RULES = {
    "rate_list": "Prequential rate of the outcome by category and office, from labels known strictly before the row's "
    "at, one label per subject; shrunken with weight 20 towards the category's rate and that towards the rate of all "
    "((positives + 1) / (n + 2)).",
    "clock_share": "The share of the clock used at the row's at.",
}

INTERVAL = (
    "95 % intervals: 500 bootstrap resamples of whole weeks (Monday to Sunday, UTC, by at), fixed seed, the same weeks "
    "for both sides of a difference; scores in at most 2,048 groups. A figure with fewer than ten positives or "
    "negatives is not shown."
)

ALARMS = (
    "A warning's first raise to exactly that level, by its office and local day, from the day of the first headline "
    "row to the last day with a row; an office without one that day counts with nought. Levels are the proposed ones."
)

SUPPRESSION = "Counts from 1 to 9, and what is derived from them, are not shown; nor is one that a sum would give away."

RECIPE = """import csv
first = {}
for row in csv.DictReader(open("scores.csv", encoding="utf-8")):
    if row["target"] == TARGET and row["label"] != "":
        if row["subject"] not in first or row["at"] < first[row["subject"]]["at"]:
            first[row["subject"]] = row
rows = sorted(first.values(), key=lambda row: row["at"])  # times of one form sort as text
rows = rows[len(rows) // 5 :]
good, bad = ([float(r["score"]) for r in rows if r["label"] == y] for y in "01")
print(sum((b > g) + (b == g) / 2 for b in bad for g in good) / len(bad) / len(good))"""
