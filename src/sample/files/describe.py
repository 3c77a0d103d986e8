"""Says what the data set looks like. Runs beside the training: it needs only the data."""

import csv
import json
import statistics


def main():
    with open("data/weather.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    summary = {"days": len(rows), "columns": {}}
    for name in rows[0]:
        values = [float(row[name]) for row in rows]
        summary["columns"][name] = {
            "mean": round(statistics.fmean(values), 2),
            "spread": round(statistics.pstdev(values), 2),
            "least": min(values),
            "most": max(values),
        }
        print(f"{name}: mean {summary['columns'][name]['mean']}", flush=True)
    with open("data/summary.json", "w") as file:
        json.dump(summary, file, indent=2)


main()
